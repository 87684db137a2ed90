import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { anyCredential } from '../areas/credentials.js'
import { adminLimits } from '../base/limits/server.js'
import { pluginStates } from '../plugins/plugin-state.js'
import { contentHashSchema } from './grant-schemas.js'
import { requirementSchema } from './requirement-schema.js'

const strict = { additionalProperties: false } as const
const text = (description: string) => Type.String({ description })
const itemsMax = { maxItems: adminLimits.itemsMax }

const stateSchema = Type.String({
  enum: [...pluginStates],
  description: 'Only a running plugin serves; a failed one has a failed_reason, a stopped one was disabled.',
})

const summaryFields = {
  name: text('Name of the plugin as its manifest says it.'),
  version: text('Version as the manifest says it.'),
  description: text('Description as the manifest says it.'),
  state: stateSchema,
  circuit_breaker_state: Type.Optional(
    Type.String({
      enum: ['closed', 'open', 'half-open'],
      description: 'An open breaker refuses calls until it lets one probe through.',
    }),
  ),
  quarantined: Type.Boolean({
    description:
      'True when the plugin had to be terminated once and runs in a thread of its own; enable lifts it.',
  }),
}

const listenerSchema = Type.Object({
  queue: text("Queue of the plugin's namespace in which messages or changes wait; dead letters name it too."),
  concurrency: Type.Integer({ description: 'Calls at once.' }),
  approved: Type.Boolean({ description: 'False for changes of a shared namespace that it may not read.' }),
  namespace: Type.Optional(text('Of changes: whose.')),
  prefix: Type.Optional(text('Of changes: below which key.')),
  events: Type.Optional(Type.Array(Type.String(), { description: 'Of changes: set, delete.' })),
})

const driftSchema = Type.Object({
  table: text('Physical name of the table.'),
  kind: Type.String({ enum: ['missing', 'extra'], description: 'Seen from the real table.' }),
  column: text('Name of the column.'),
})

/** One line of the plugin list. */
export const pluginSummarySchema = Type.Object(summaryFields)

/** Everything that is told about one plugin. */
export const pluginDetailsSchema = Type.Object({
  ...summaryFields,
  author: Type.Optional(text('Author as the manifest says it.')),
  license: Type.Optional(text('License as the manifest says it.')),
  failed_reason: Type.Optional(text('Why the plugin, or its last reload, failed.')),
  circuit_breaker_errors: Type.Optional(Type.Integer({ description: 'Consecutive failures that count.' })),
  circuit_breaker_retry_after: Type.Optional(
    Type.Integer({ description: 'Seconds until a breaker that refuses calls lets a probe through.' }),
  ),
  circuit_breaker_trips: Type.Integer({
    description: 'Times that the breaker opened since the server started.',
  }),
  circuit_breaker_last_trip: Type.Optional(text('When it last did, as RFC 3339.')),
  pool_state: Type.Optional(
    Type.String({
      enum: ['open', 'draining', 'closed'],
      description:
        'Of the last generation: open takes calls, draining finishes those it has, closed has given its VMs up.',
    }),
  ),
  calls_in_flight: Type.Integer({ description: 'Calls that have been handed over and not answered.' }),
  budget_kills: Type.Record(Type.String(), Type.Integer(), {
    description:
      'Calls that were stopped since the server started, by what they used up: TIMEOUT, INSTRUCTIONS, MEMORY.',
  }),
  last_error: Type.Optional(
    Type.Object(
      { type: text('Error code.'), at: text('RFC 3339.') },
      { description: 'The last call or load that failed since the server started; the log has the text.' },
    ),
  ),
  vms_available: Type.Integer({ description: 'VMs that no long or suspended call holds at this moment.' }),
  vms_total: Type.Integer({ description: 'VMs of the generation that serves.' }),
  dependencies: Type.Optional(
    Type.Array(Type.String(), { description: 'Plugins that must run for this one.' }),
  ),
  schema_drift: Type.Optional(
    Type.Array(driftSchema, { description: 'Columns in which definition and real table differ.' }),
  ),
  listeners: Type.Optional(
    Type.Array(listenerSchema, {
      description: 'Its functions for messages and changes of the key-value store; absent when it has none.',
    }),
  ),
  hot_reload: Type.Optional(
    Type.Union([Type.Literal('watching'), Type.Literal('paused')], {
      description:
        'Whether changes of its files are loaded; absent when nothing is watched. Paused after slow loads, until an admin reloads it.',
    }),
  ),
  content_hash: text('SHA-256 of the running source; empty when nothing runs.'),
  generation: Type.Integer({ description: 'Number of the generation that serves; 0 when none does.' }),
})

export const pluginListSchema = Type.Object({ plugins: Type.Array(pluginSummarySchema) })

export const pluginParamsSchema = Type.Object({ name: text('Name of the plugin.') })
export type PluginParams = Static<typeof pluginParamsSchema>

const okSchema = Type.Literal(true)

export const reloadResultSchema = Type.Object({ ok: okSchema, plugin: Type.String() })

export const stateResultSchema = Type.Object({ ok: okSchema, plugin: Type.String(), state: stateSchema })

export const breakerResultSchema = Type.Object({
  ok: okSchema,
  plugin: Type.String(),
  circuit_breaker_state: Type.Literal('closed'),
})

export const metricsSchema = Type.Object({
  metrics: Type.Array(
    Type.Object({
      name: text('As in /metrics.'),
      type: text('counter, gauge, histogram or summary.'),
      help: text('What it counts.'),
      bounds: Type.Optional(
        Type.Array(Type.Number(), { description: 'Upper bounds of the buckets of a histogram.' }),
      ),
      samples: Type.Array(
        Type.Object({
          labels: Type.Record(Type.String(), Type.String()),
          value: Type.Number({ description: 'For a histogram how many values were observed.' }),
          sum: Type.Optional(Type.Number({ description: 'Sum of the values of a histogram.' })),
          counts: Type.Optional(
            Type.Array(Type.Number(), {
              description: 'How many values were at most the bound at the same place.',
            }),
          ),
        }),
      ),
    }),
  ),
})

export const cleanupPreviewSchema = Type.Object({
  orphaned_tables: Type.Array(Type.String(), { description: 'Physical names; none was dropped.' }),
  count: Type.Integer(),
  action: Type.Literal('dry_run'),
})

export const cleanupBodySchema = Type.Object(
  {
    confirm: Type.Literal(true, { description: 'Must be true: dropped rows do not come back.' }),
    tables: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      ...itemsMax,
      description: 'Physical names. Those that are not orphaned at this moment are left alone.',
    }),
  },
  strict,
)
export type CleanupBody = Static<typeof cleanupBodySchema>

export const cleanupResultSchema = Type.Object({
  dropped: Type.Array(Type.String(), { description: 'Physical names of the tables that are gone.' }),
  count: Type.Integer(),
})

const referenceFields = {
  plugin: text('Name of the plugin.'),
  method: text('Upper case, e.g. GET.'),
  path: text('Path below /api/v1/plugins/<plugin>, as the plugin registered it.'),
}

export const routeListSchema = Type.Object({
  routes: Type.Array(
    Type.Object({
      ...referenceFields,
      public: Type.Boolean({ description: 'True when it answers without a credential once approved.' }),
      requires: Type.Optional(requirementSchema),
      approved: Type.Boolean({ description: 'Only approved routes answer.' }),
      plugin_version: text('Version of the plugin that registered the route.'),
    }),
  ),
})

export const routeBodySchema = Type.Object(
  {
    routes: Type.Array(Type.Object({ ...referenceFields, content_hash: contentHashSchema }, strict), {
      ...itemsMax,
      description: 'May be empty.',
    }),
  },
  strict,
)
export type RouteBody = Static<typeof routeBodySchema>

const domainFields = {
  plugin: text('Name of the plugin.'),
  domain: text('Host that its requests go to, in lower case.'),
}

export const breakerListSchema = Type.Object({
  breakers: Type.Array(
    Type.Object({
      ...domainFields,
      state: Type.String({
        enum: ['closed', 'open', 'half-open'],
        description: 'An open breaker refuses requests until it lets one probe through.',
      }),
      failures: Type.Integer({ description: 'Consecutive failures that count.' }),
      retry_after_seconds: Type.Integer({
        description: 'Time until a probe may pass; 0 while requests pass.',
      }),
    }),
  ),
})

export const breakerBodySchema = Type.Object(domainFields, strict)
export type BreakerBody = Static<typeof breakerBodySchema>

export const doneSchema = Type.Object({ ok: okSchema })

const errorFields = {
  error: Type.Object({
    code: text('Stable and machine-readable.'),
    message: text('A sentence for a person.'),
    request_id: Type.Optional(text("Finds the line in the server's log.")),
  }),
}

/** The one envelope of every failure. */
export const errorSchema = Type.Object(errorFields)

/** The envelope of a list of which a part was refused. */
export const partialErrorSchema = Type.Object({
  ...errorFields,
  errors: Type.Optional(
    Type.Array(Type.String(), {
      description: 'One sentence for each refused item; the others were applied.',
    }),
  ),
})

/** What one operation says of itself; becomes its checks, its serialiser and its page in the OpenAPI document. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly answer: TSchema
  /** Failures beside 401, 403 and 500, by status. */
  readonly failures?: Readonly<Record<number, TSchema>>
}

/** Makes the Fastify schema of an operation. */
export function schemaOf(operation: Operation): Record<string, unknown> {
  const { operationId, summary, description, tag, params, query, body, answer, failures = {} } = operation
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: anyCredential,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    response: { 200: answer, ...failures, 401: errorSchema, 403: errorSchema, 500: errorSchema },
  }
}
