import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { CredentialScheme } from '../areas/credentials.js'

/** What the document says of the server. */
export interface OpenApiOptions {
  /** Version of the product. */
  readonly version: string
  /** Names of the header and the cookie that carry a session. */
  readonly session: { readonly header: string; readonly cookie: string }
}

/** Path of the OpenAPI document. */
export const openApiPath = '/api/v1/openapi.json'

/**
 * Creates the Fastify plugin that collects the schemas of every route registered after it and serves them as an
 * OpenAPI 3.1 document at `openApiPath`. Routes without tags stay out of the document.
 */
export function createOpenApi(options: OpenApiOptions): (app: FastifyInstance) => Promise<void> {
  async function openApi(app: FastifyInstance): Promise<void> {
    await app.register(fastifySwagger, {
      hideUntagged: true,
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'modulacms',
          description:
            'Administration of a modulacms server: its plugins, what they may touch, and what stands in front of them.',
          version: options.version,
        },
        tags: [
          { name: 'plugins', description: 'Plugins and their life.' },
          {
            name: 'migrations',
            description: 'Changes of the tables of plugins, and whether they are applied.',
          },
          { name: 'routes', description: 'HTTP routes of plugins, and their approval.' },
          { name: 'hooks', description: 'Hooks of plugins around content, and their approval.' },
          { name: 'requests', description: 'Domains that plugins send requests to, and their approval.' },
          { name: 'core', description: 'Core tables that plugins read and write, and the approval of that.' },
          {
            name: 'kv',
            description: 'Shared key-value namespaces that plugins use, and the approval of that.',
          },
          {
            name: 'stages',
            description: 'Functions of plugins in front of all requests, and the approval of them.',
          },
          {
            name: 'gateway-access',
            description: 'What plugins read and change of the gateway, and the approval of that.',
          },
          {
            name: 'auth-parts',
            description:
              'Functions of plugins that tell who sends a request or what they may do, and the approval of them.',
          },
          { name: 'pipelines', description: 'Which hooks fire around which operations, and in which order.' },
          { name: 'metrics', description: 'Numbers for whoever watches the server.' },
          { name: 'health', description: 'Whether the server serves.' },
          {
            name: 'auth',
            description:
              'Who may do what: signing in, users, roles, API keys, sessions, and the rules in force.',
          },
          { name: 'content', description: 'Datatypes, entries, media, and what was done to them.' },
          {
            name: 'keyval',
            description: 'The key-value store; all of it is at /api/keyval as well.',
          },
          {
            name: 'Gateway',
            description:
              'What stands in front of all requests: limits, other origins, the shell, the cache, and what they did. All of it is at /api/gateway as well, and the rules of the proxy at /api/proxy.',
          },
          {
            name: 'Policies',
            description:
              'Policies that decide what may be done where a rule names the authorizer `policies`. All of it is at /api/authz as well.',
          },
          { name: 'cleanup', description: 'Tables that plugins left behind.' },
        ],
        components: {
          securitySchemes: describeSchemes(options.session),
        },
      },
    })
    app.get(openApiPath, { schema: { hide: true } }, async () => app.swagger())
  }
  // The collector must see the routes of the whole application, not only those of its own scope.
  return Object.assign(openApi, { [Symbol.for('skip-override')]: true })
}

function describeSchemes({ header, cookie }: OpenApiOptions['session']) {
  return {
    bearer: {
      type: 'http' as const,
      scheme: 'bearer',
      description: 'The admin token of the server, an API key, or a token that an authenticator takes.',
    },
    apiKey: { type: 'apiKey' as const, in: 'header' as const, name: 'X-API-Key', description: 'An API key.' },
    sessionHeader: {
      type: 'apiKey' as const,
      in: 'header' as const,
      name: header,
      description: 'The session of a program that has signed in with `"session": "token"`.',
    },
    sessionCookie: {
      type: 'apiKey' as const,
      in: 'cookie' as const,
      name: cookie,
      description:
        'The session of a browser; over TLS the name has `__Host-` in front. Whatever changes something needs the header `X-CSRF-Token` as well, which `GET /api/v1/auth/session` gives.',
    },
  } satisfies Record<CredentialScheme, object>
}
