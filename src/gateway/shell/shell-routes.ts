import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { basenameRequired, shellNotConfigured } from './errors.js'
import type { Shell } from './shell.js'

const tags = ['Gateway']

const excludeSchema = Type.Object({
  basename: Type.String(),
  source: Type.String({ enum: ['env', 'database'], description: 'Those of `env` cannot be removed.' }),
  addedAt: Type.Optional(Type.Integer({ description: 'Milliseconds since 1970.' })),
})

const failureSchema = Type.Object({ error: Type.String(), code: Type.String() })

/**
 * Adds the routes by which admins see and change what the shell does not serve.
 *
 * @param userOf Names who sends a request, for the record of who added what.
 */
export function addShellRoutes(
  app: FastifyInstance,
  shell: Shell,
  userOf: (request: FastifyRequest) => string,
): void {
  app.get(
    '/shell/excludes',
    {
      schema: {
        tags,
        summary: 'List the basenames that the shell does not serve',
        description:
          'A basename is the first segment of a path. What single browsers exclude by cookie is not in it.',
        response: { 200: Type.Array(excludeSchema), 400: failureSchema },
      },
    },
    async () => {
      const { enabled, excludes } = shell.view()
      if (!enabled) throw shellNotConfigured()
      return excludes
    },
  )
  app.post(
    '/shell/excludes',
    {
      config: { action: 'shell.exclude' },
      schema: {
        tags,
        summary: 'Take the pages of a basename from the shell',
        description: 'Holds at once and after restarts.',
        body: Type.Object({ basename: Type.String({ pattern: '^[a-zA-Z0-9_-]+$' }) }),
        response: {
          200: Type.Object({
            added: Type.Boolean({ description: 'False when it was there already.' }),
            basename: Type.String(),
            source: Type.String({ enum: ['database'] }),
          }),
          400: failureSchema,
          409: failureSchema,
        },
      },
      // The schema is for readers: the body is read by hand, with texts that name the remedy.
      validatorCompiler: () => () => true,
    },
    async (request) => {
      if (!shell.view().enabled) throw shellNotConfigured()
      const basename = readBasename(request.body)
      return { added: await shell.exclude(basename, userOf(request)), basename, source: 'database' }
    },
  )
  app.delete(
    '/shell/excludes/:basename',
    {
      config: { action: 'shell.include' },
      schema: {
        tags,
        summary: 'Give the pages of a basename back to the shell',
        params: Type.Object({ basename: Type.String() }),
        response: {
          200: Type.Object({
            removed: Type.Boolean({ description: 'False when it was not excluded.' }),
            basename: Type.String(),
          }),
          400: failureSchema,
        },
      },
    },
    async (request) => {
      const { basename } = request.params as { basename: string }
      return { removed: await shell.remove(basename), basename }
    },
  )
}

function readBasename(body: unknown): string {
  const basename = typeof body === 'object' && body !== null && 'basename' in body ? body.basename : undefined
  if (typeof basename !== 'string' || basename === '') throw basenameRequired()
  return basename
}
