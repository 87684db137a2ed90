import type { FastifyInstance } from 'fastify'
import { pluginNotFound } from '../plugins/errors.js'
import type { AdminAuthentication } from './authentication.js'
import type { Mutations } from './mutations.js'
import type { AdminApiOptions } from './options.js'
import {
  breakerResultSchema,
  errorSchema,
  type PluginParams,
  pluginDetailsSchema,
  pluginListSchema,
  pluginParamsSchema,
  reloadResultSchema,
  schemaOf,
  stateResultSchema,
} from './schemas.js'

/** What the operations of one resource share. */
export interface OperationContext {
  readonly administration: AdminApiOptions['administration']
  readonly authentication: AdminAuthentication
  readonly mutations: Mutations
}

interface PluginRequest {
  Params: PluginParams
}

const tag = 'plugins'
const ofOnePlugin = {
  tag,
  params: pluginParamsSchema,
  failures: { 404: errorSchema, 409: errorSchema },
} as const

/** Adds list, get, reload, enable and disable. */
export function addPluginOperations(app: FastifyInstance, context: OperationContext): void {
  addReads(app, context)
  addMutations(app, context)
}

function addReads(app: FastifyInstance, { administration }: OperationContext): void {
  const list = schemaOf({
    tag,
    operationId: 'listPlugins',
    summary: 'List the plugins',
    answer: pluginListSchema,
  })
  app.get('/plugins', { schema: list }, async () => ({ plugins: administration.list() }))

  const get = schemaOf({
    tag,
    params: pluginParamsSchema,
    failures: { 404: errorSchema },
    operationId: 'getPlugin',
    summary: 'Show one plugin',
    answer: pluginDetailsSchema,
  })
  app.get<PluginRequest>('/plugins/:name', { schema: get }, async ({ params }) => {
    const details = administration.get(params.name)
    if (details === undefined) throw pluginNotFound({ plugin: params.name })
    return details
  })
}

function addMutations(app: FastifyInstance, context: OperationContext): void {
  const { administration, mutations } = context
  const reload = schemaOf({
    ...ofOnePlugin,
    operationId: 'reloadPlugin',
    summary: "Load a plugin's files again",
    description:
      'Builds the next generation aside and swaps it in when it proves itself; requests in flight finish on the ' +
      'one before. When it fails (PLUGIN_LOAD_FAILED) the one before keeps serving. Also finds a new folder.',
    answer: reloadResultSchema,
  })
  app.post<PluginRequest>('/plugins/:name/reload', { schema: reload }, async (request) => {
    const { name } = request.params
    await mutations.run(request, 'plugin.reload', { plugin: name }, (actor) =>
      administration.reload(name, actor),
    )
    return { ok: true, plugin: name }
  })
  addBreakerReset(app, context)
  addStateChanges(app, context)
}

function addBreakerReset(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const reset = schemaOf({
    tag,
    params: pluginParamsSchema,
    failures: { 404: errorSchema },
    operationId: 'resetBreaker',
    summary: "Close a plugin's circuit breaker",
    description:
      'Lets calls through at once and forgets the failures in a row. The plugin is not loaded again, and a ' +
      'quarantine stays; enable does both.',
    answer: breakerResultSchema,
  })
  app.post<PluginRequest>('/plugins/:name/breaker/reset', { schema: reset }, async (request) => {
    const { name } = request.params
    await mutations.run(request, 'plugin.reset_breaker', { plugin: name }, (actor) =>
      administration.resetBreaker(name, actor),
    )
    return { ok: true, plugin: name, circuit_breaker_state: 'closed' }
  })
}

function addStateChanges(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const changes = [
    {
      action: 'enable',
      reached: 'running',
      summary: 'Start a plugin',
      description:
        'Resets its circuit breaker, lifts its quarantine and loads it. It stays enabled over restarts.',
    },
    {
      action: 'disable',
      reached: 'stopped',
      summary: 'Stop a plugin',
      description:
        'Runs its on_shutdown and stops serving. It stays disabled over restarts until it is enabled.',
    },
  ] as const
  for (const { action, reached, summary, description } of changes) {
    const schema = schemaOf({
      ...ofOnePlugin,
      operationId: `${action}Plugin`,
      summary,
      description,
      answer: stateResultSchema,
    })
    app.post<PluginRequest>(`/plugins/:name/${action}`, { schema }, async (request) => {
      const { name } = request.params
      const change = (actor: string) => administration[action](name, actor)
      await mutations.run(request, `plugin.${action}`, { plugin: name }, change)
      return { ok: true, plugin: name, state: reached }
    })
  }
}
