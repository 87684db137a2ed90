import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import type { RecordedRoute } from '../routes/admin-area.js'
import { rateLimitDisabled, rateLimitQueryInvalid } from './errors.js'
import type { BucketOrder, RateLimit } from './rate-limit.js'

const tags = ['Gateway']
const { listingDefault, listingMax } = rateLimitLimits

const failureSchema = Type.Object({
  error: Type.String({ description: 'A sentence for a person.' }),
  code: Type.String({ description: 'Stable and machine-readable.' }),
})

const metricsSchema = Type.Object({
  totalRequests: Type.Integer({ description: 'Requests that were counted since the start.' }),
  blockedRequests: Type.Integer(),
  allowedRequests: Type.Integer(),
  activeBuckets: Type.Integer({ description: 'Clients in memory.' }),
  config: Type.Object({ capacity: Type.Integer(), windowSeconds: Type.Integer() }),
})

const bucketSchema = Type.Object({
  key: Type.String({
    description: 'Client, e.g. `ip:203.0.113.9`; `rule-<number>:` stands before it in a rule.',
  }),
  tokens: Type.Number({ description: 'Requests that are left, with fractions.' }),
  retryAfter: Type.Integer({ description: 'Seconds until the next request is allowed; 0 when it is now.' }),
  lastActivity: Type.Integer({ description: 'Last request, in milliseconds since 1970.' }),
})

const listingParameters = {
  type: 'object',
  properties: {
    limit: {
      type: 'string',
      description: `Buckets, at most ${listingMax}; ${listingDefault} when it is missing.`,
    },
    sortBy: {
      type: 'string',
      description:
        '`tokens` for those with the fewest first, `lastActivity` for the latest first, which is also what a missing one means.',
    },
  },
}

const keyParameter = {
  type: 'object',
  properties: { key: { type: 'string', description: 'As it is listed, percent-encoded once.' } },
}

/**
 * Adds the routes about the rate limit.
 *
 * @param limit Undefined when there is none; each route answers 400 then.
 */
export function addRateLimitRoutes(app: FastifyInstance, limit: RateLimit | undefined): void {
  const active = (): RateLimit => {
    if (limit === undefined) throw rateLimitDisabled()
    return limit
  }
  app.get(
    '/rate-limit/metrics',
    { schema: { summary: 'Count the requests of the rate limit', tags, response: responses(metricsSchema) } },
    async () => active().metrics(),
  )
  app.get<{ Querystring: ListingQuery }>(
    '/rate-limit/buckets',
    {
      schema: {
        summary: 'List clients that have used some of their requests',
        tags,
        querystring: listingParameters,
        response: responses(Type.Array(bucketSchema)),
      },
      // The schema is for readers: the handler checks by itself, with texts that name the remedy.
      validatorCompiler: () => () => true,
    },
    async ({ query }) => active().buckets({ limit: readLimit(query.limit), sortBy: readOrder(query.sortBy) }),
  )
  app.delete<{ Params: { readonly key: string } }, RecordedRoute>(
    '/rate-limit/buckets/:key',
    {
      config: { action: 'rate_limit.reset' },
      schema: {
        summary: 'Give a client all its requests back',
        tags,
        params: keyParameter,
        response: responses(Type.Object({ deleted: Type.Boolean(), key: Type.String() })),
      },
    },
    async ({ params: { key } }) => ({ deleted: active().reset(key), key }),
  )
  app.post(
    '/rate-limit/clear',
    {
      config: { action: 'rate_limit.clear' },
      schema: {
        summary: 'Give all clients all their requests back',
        tags,
        response: responses(Type.Object({ cleared: Type.Integer() })),
      },
    },
    async () => ({ cleared: active().clear() }),
  )
}

/** As they were sent: a parameter that is there twice is a list. */
interface ListingQuery {
  readonly limit?: string | readonly string[]
  readonly sortBy?: string | readonly string[]
}

function responses<Schema>(success: Schema) {
  return { 200: success, 400: failureSchema }
}

function readLimit(text: ListingQuery['limit']): number {
  if (text === undefined) return listingDefault
  const limit = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= listingMax) return limit
  throw rateLimitQueryInvalid({
    name: 'limit',
    value: preview(text),
    expected: `a whole number from 1 to ${listingMax}`,
  })
}

function readOrder(text: ListingQuery['sortBy']): BucketOrder {
  if (text === undefined) return 'lastActivity'
  if (text === 'tokens' || text === 'lastActivity') return text
  throw rateLimitQueryInvalid({
    name: 'sortBy',
    value: preview(text),
    expected: '"tokens" or "lastActivity"',
  })
}

function preview(value: string | readonly string[]): string {
  return String(value).slice(0, 40)
}
