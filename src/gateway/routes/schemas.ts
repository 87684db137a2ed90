import { type TSchema, Type } from '@sinclair/typebox'

const time = Type.Integer({ description: 'Milliseconds since 1970.' })
const anything = Type.Record(Type.String(), Type.Unknown())

function orNull(schema: TSchema, description: string): TSchema {
  return Type.Union([schema, Type.Null()], { description })
}

export const clearedSchema = Type.Object({ cleared: Type.Boolean() })

export const logsSchema = Type.Array(
  Type.Object({
    id: Type.String(),
    timestamp: time,
    ip: Type.String(),
    method: Type.String(),
    path: Type.String(),
    status: Type.Integer({ description: '499 when the client went away before there was an answer.' }),
    duration: Type.Number({ description: 'Milliseconds.' }),
    rateLimited: Type.Boolean(),
  }),
)

export const logStatsSchema = Type.Object({
  total: Type.Integer(),
  rateLimited: Type.Integer(),
  byStatus: Type.Record(Type.String(), Type.Integer(), { description: 'By class, e.g. `2xx`.' }),
  avgDuration: Type.Number({ description: 'Milliseconds.' }),
})

const figures = {
  totalRequests: Type.Integer(),
  blockedRequests: Type.Integer(),
  allowedRequests: Type.Integer(),
  activeBuckets: Type.Integer(),
}

export const historySchema = Type.Array(Type.Object({ timestamp: time, ...figures }))

export const statsSchema = Type.Object({
  rateLimit: Type.Object({
    enabled: Type.Boolean(),
    metrics: orNull(Type.Object(figures, { additionalProperties: true }), 'Null without a rate limit.'),
    config: orNull(anything, 'Null without a rate limit.'),
  }),
  cors: Type.Object({ enabled: Type.Boolean(), rulesCount: Type.Integer() }),
  cache: Type.Object({ enabled: Type.Boolean() }, { additionalProperties: true }),
  shell: Type.Object({
    enabled: Type.Boolean(),
    dir: orNull(Type.String(), 'Null without a shell for all hosts.'),
    excludesCount: Type.Integer(),
  }),
  logs: logStatsSchema,
})

export const configSchema = Type.Object({
  rateLimit: orNull(anything, 'Null without a rate limit.'),
  cors: Type.Array(anything, { description: 'The rules for other origins.' }),
  cache: orNull(anything, 'Null without a cache.'),
  shell: orNull(
    Type.Object({
      dir: orNull(Type.String(), 'Null without a shell for all hosts.'),
      envExcludes: Type.Array(Type.String()),
    }),
    'Null without a shell.',
  ),
})

export const pipelineSchema = Type.Array(
  Type.Object(
    { name: Type.String(), priority: Type.Integer(), phases: Type.Array(Type.String()) },
    { additionalProperties: true },
  ),
)
