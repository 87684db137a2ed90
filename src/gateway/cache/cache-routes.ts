import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { cacheLimits } from '../../base/limits/gateway.js'
import { cacheNotEnabled, invalidationInvalid } from './errors.js'
import type { ResponseCache } from './response-cache.js'
import type { Invalidation } from './response-store.js'

const invalidationSchema = Type.Object(
  {
    key: Type.Optional(Type.String({ description: 'One URL, e.g. `GET:/path?query`.' })),
    tag: Type.Optional(Type.String({ description: 'One of those that answers were given in `Cache-Tag`.' })),
    pattern: Type.Optional(Type.String({ description: 'Paths, e.g. `/path/*`.' })),
  },
  { description: 'One member, or none for everything.' },
)

/** Adds the routes of the response cache. */
export function addCacheRoutes(app: FastifyInstance, cache: ResponseCache): void {
  app.post(
    '/cache/invalidate',
    {
      config: { action: 'cache.invalidate' },
      schema: {
        summary:
          'Take answers out of the response cache: one URL, those with a tag, those of a pattern, or all',
        tags: ['Gateway'],
        body: invalidationSchema,
        response: {
          200: Type.Object({ invalidated: Type.Union([Type.Integer({ minimum: 0 }), Type.Literal('all')]) }),
        },
      },
      // The schema is for readers: the body is read by hand, with texts that name the remedy.
      validatorCompiler: () => () => true,
    },
    async ({ body }) => {
      if (!cache.stats().enabled) throw cacheNotEnabled()
      const invalidation = readInvalidation(body)
      const count = cache.invalidate(invalidation)
      if ('key' in invalidation) return { invalidated: Math.min(count, 1) }
      return { invalidated: Object.keys(invalidation).length === 0 ? 'all' : count }
    },
  )
}

const fields = ['key', 'tag', 'pattern'] as const

function readInvalidation(body: unknown): Invalidation {
  // A request without a body means what an empty one means.
  if (body === undefined || body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body)) throw invalidationInvalid({ problem: 'is no object' })
  const names = Object.keys(body)
  const unknown = names.find((name) => !(fields as readonly string[]).includes(name))
  // Otherwise a slip of the pen takes everything out.
  if (unknown !== undefined)
    throw invalidationInvalid({ problem: `has the unknown field "${unknown.slice(0, 50)}"` })
  if (names.length > 1) throw invalidationInvalid({ problem: `names ${names.join(' and ')} at once` })
  const [name] = names
  if (name === undefined) return {}
  const value: unknown = (body as Readonly<Record<string, unknown>>)[name]
  if (typeof value !== 'string' || value === '' || value.length > cacheLimits.patternLengthMax) {
    throw invalidationInvalid({
      problem: `has a ${name} that is no text of 1 to ${cacheLimits.patternLengthMax} characters`,
    })
  }
  return { [name]: value } as unknown as Invalidation
}
