import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { PipelineStep } from '../plugins/administration.js'
import { pluginNotFound } from '../plugins/errors.js'
import type { OperationContext } from './plugin-operations.js'
import {
  errorSchema,
  type PluginParams,
  pluginParamsSchema,
  reloadResultSchema,
  schemaOf,
} from './schemas.js'

const text = (description: string) => Type.String({ description })
const phase = Type.String({ enum: ['before', 'after'] })
const priority = Type.Integer({ description: 'The lower, the earlier.' })
const disabledReason = Type.Optional(
  Type.String({
    enum: ['not_approved', 'plugin_not_running', 'breaker_open'],
    description: 'Why it does not fire.',
  }),
)
const source = Type.Literal('registry', { description: 'Hooks as the running plugins registered them.' })

const listSchema = Type.Object({
  pipelines: Type.Array(
    Type.Object({
      pipeline_id: text('Unique: plugin and handler.'),
      table_name: text('As registered; `*` stands for all tables.'),
      operation: text('E.g. create.'),
      phase,
      plugin_name: text('Name of the plugin.'),
      handler: text('Key of the registration.'),
      priority,
      enabled: Type.Boolean({ description: 'Whether it fires.' }),
      disabled_reason: disabledReason,
    }),
  ),
  count: Type.Integer(),
  source,
})

const chainSchema = Type.Object({
  chains: Type.Array(
    Type.Object({
      table: text('Name of the table; `*` for the hooks of all tables alone.'),
      operation: text('E.g. create.'),
      phase,
      entries: Type.Array(
        Type.Object({
          PipelineID: text('Unique: plugin and handler.'),
          PluginName: text('Name of the plugin.'),
          Handler: text('Key of the registration.'),
          Table: text('As registered; `*` stands for all tables.'),
          Priority: priority,
          Enabled: Type.Boolean({ description: 'Whether it fires.' }),
          DisabledReason: disabledReason,
        }),
        { description: 'In the order in which they run.' },
      ),
    }),
    { description: 'Those without entries are left out.' },
  ),
  count: Type.Integer({ description: 'Number of chains.' }),
  source,
})

const querySchema = Type.Object(
  {
    table: Type.Optional(text('One table; all that hooks name when missing.')),
    op: Type.Optional(
      text('One operation: create, update, delete, publish, archive or read; all when missing.'),
    ),
  },
  { additionalProperties: false },
)
type Query = Static<typeof querySchema>

const capability = Type.Object({
  table: text('Name of a table.'),
  op: text('Operation.'),
  handler: text('As the manifest says it.'),
  priority: Type.Number(),
})

const capabilitySchema = Type.Object({
  plugin: text('Name of the plugin.'),
  capabilities: Type.Array(capability, { description: 'What the loaded manifest offers.' }),
  drift: Type.Array(
    Type.Object({
      kind: Type.String({ enum: ['added', 'removed', 'changed'] }),
      current: Type.Optional(capability),
      previous: Type.Optional(capability),
    }),
    { description: 'How that differs from what is stored; sync-capabilities ends it.' },
  ),
})

interface PluginRequest {
  Params: PluginParams
}

const tag = 'pipelines'

/** Adds what shows which hooks fire around which operations, and what plugins say that they offer. */
export function addPipelineOperations(app: FastifyInstance, context: OperationContext): void {
  addPipelines(app, context)
  addCapabilities(app, context)
}

function addPipelines(app: FastifyInstance, { administration }: OperationContext): void {
  const list = schemaOf({
    tag,
    operationId: 'listPipelines',
    summary: 'List the hooks of all plugins',
    answer: listSchema,
  })
  app.get('/pipelines', { schema: list }, async () => {
    const pipelines = administration.pipelines().map((step) => ({
      pipeline_id: step.id,
      table_name: step.table,
      operation: step.operation,
      phase: step.phase,
      plugin_name: step.plugin,
      handler: step.handler,
      priority: step.priority,
      enabled: step.disabledBy === undefined,
      disabled_reason: step.disabledBy,
    }))
    return { pipelines, count: pipelines.length, source: 'registry' }
  })

  const dryRun = schemaOf({
    tag,
    operationId: 'dryRunPipelines',
    summary: 'Show what would fire around an operation, in order, without firing it',
    query: querySchema,
    answer: chainSchema,
    failures: { 400: errorSchema },
  })
  app.get<{ Querystring: Query }>('/pipelines/dry-run', { schema: dryRun }, async ({ query }) => {
    const { table, op: operation } = query
    const found = administration.dryRun({
      ...(table === undefined ? {} : { table }),
      ...(operation === undefined ? {} : { operation }),
    })
    const chains = found.map(({ steps, ...chain }) => ({ ...chain, entries: steps.map(toEntry) }))
    return { chains, count: chains.length, source: 'registry' }
  })
}

function toEntry(step: PipelineStep) {
  return {
    PipelineID: step.id,
    PluginName: step.plugin,
    Handler: step.handler,
    Table: step.table,
    Priority: step.priority,
    Enabled: step.disabledBy === undefined,
    DisabledReason: step.disabledBy,
  }
}

function addCapabilities(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const get = schemaOf({
    tag: 'plugins',
    params: pluginParamsSchema,
    failures: { 404: errorSchema },
    operationId: 'getCapabilities',
    summary: 'Show what the manifest of a plugin offers, and how that differs from what is stored',
    answer: capabilitySchema,
  })
  app.get<PluginRequest>('/plugins/:name/capabilities', { schema: get }, async ({ params }) => {
    const report = await administration.capabilities(params.name)
    if (report === undefined) throw pluginNotFound({ plugin: params.name })
    return report
  })

  const sync = schemaOf({
    tag: 'plugins',
    params: pluginParamsSchema,
    failures: { 404: errorSchema, 409: errorSchema },
    operationId: 'syncCapabilities',
    summary: 'Store what the loaded manifest offers',
    answer: reloadResultSchema,
  })
  app.post<PluginRequest>('/plugins/:name/sync-capabilities', { schema: sync }, async (request) => {
    const { name } = request.params
    await mutations.run(request, 'plugin.sync-capabilities', { plugin: name }, (actor) =>
      administration.syncCapabilities(name, actor),
    )
    return { ok: true, plugin: name }
  })
}
