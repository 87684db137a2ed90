import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { adminPrefix, createAdminApi } from './admin/admin-api.js'
import { createOpenApi } from './admin/openapi.js'
import { parseDuration } from './base/durations.js'
import { watchLimits } from './base/limits.js'
import { createTokenBuckets } from './base/token-buckets.js'
import { checkResponseHeader } from './capabilities/http/header-rules.js'
import { requestTopic } from './capabilities/request/wire.js'
import type { PluginLogLine } from './capabilities/services.js'
import { type ConfigInput, completeConfig } from './config/complete.js'
import type { Config } from './config/schema.js'
import { contentPrefix, createContentRoutes } from './content/content-routes.js'
import { type ContentService, createContent } from './content/content-service.js'
import { type CoreDatabase, createDatabase } from './database/database.js'
import { parseDatabaseUrl } from './database/url.js'
import { createClientIp } from './gateway/client-ip.js'
import { clientNetwork } from './gateway/ip-address.js'
import { generationSettings } from './generation-settings.js'
import { createHealthRoutes, type Health } from './health.js'
import { HostAnswers } from './host-answers.js'
import { createHttpServer } from './http-server.js'
import { type AdminToken, loadAdminToken } from './identity/admin-token.js'
import type { User } from './identity/authenticator.js'
import { stripCredentials } from './identity/credentials.js'
import { createTokenAuthenticator } from './identity/token-authenticator.js'
import { OutboundClient } from './outbound/outbound-client.js'
import { writePluginReport } from './plugin-reports.js'
import type { PluginAdministration } from './plugins/administration.js'
import { createCoreCalls } from './plugins/core-calls.js'
import { createPluginRoutes } from './plugins/dispatch.js'
import { createEmbeddedHooks, type EmbeddedHooks } from './plugins/hooks/embedded-hooks.js'
import { createHookEngine, type HookEngine, type HookEngineLimits } from './plugins/hooks/hook-engine.js'
import { createPluginManager, type PluginManager } from './plugins/manager.js'
import { OutboundCalls, type OutboundCallsOptions } from './plugins/outbound-calls.js'
import type { StatusReport } from './plugins/plugin-views.js'
import type { ReloadTimes } from './plugins/watch/reload-schedule.js'
import type { Sandbox } from './sandbox/generation.js'
import { createSandbox } from './sandbox/thread-sandbox.js'
import { createLogger, flushLogger, type Logger } from './telemetry/logger.js'
import { productVersion } from './version.js'

export interface HostOptions {
  /** Settings with the keys of `config.json`; what is absent has its default. */
  readonly config: ConfigInput
  /** Environment to take MODULACMS_ADMIN_TOKEN from; nothing is taken when missing. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The application to mount the routes in; the host creates a server of its own when missing. */
  readonly app?: FastifyInstance
  /** Where log lines go; standard error when missing. */
  readonly log?: Logger
  /** Times of hot reload, which `plugin_hot_reload` turns on; those of `watchLimits` when missing. */
  readonly hotReload?: ReloadTimes
  /** False only where the hard stop alone is put to the test. */
  readonly softLimits?: boolean
  /** Decides which hooks run, in the place of the admins: the key is `<event>:<table>`. */
  readonly approvesHook?: (plugin: string, key: string) => boolean
  /** Replaces who sends the requests of plugins and who says what is approved, e.g. where plugins are tested. */
  readonly outbound?: Partial<Pick<OutboundCallsOptions, 'sender' | 'isApproved'>>
}

/** A running plugin host. */
export interface Host {
  /** The application that serves the routes; call `listen` on it. */
  readonly app: FastifyInstance
  readonly plugins: PluginAdministration
  /** Runs the hooks of plugins around writes to tables of the embedding application. */
  readonly hooks: EmbeddedHooks
  /** Datatypes, entries and media; writes go through the hooks of plugins. */
  readonly content: ContentService
  readonly adminToken: AdminToken
  /** Which plugins run, which failed, what waits for approval. */
  status(): StatusReport
  /** Lets requests in flight finish, stops the plugins and the threads, closes the database. */
  close(): Promise<void>
}

/**
 * Creates a plugin host: opens the database, starts the executor threads, loads the plugins and mounts the routes.
 *
 * @throws HostError when the configuration names something that cannot be used: a database, a token, a network.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const config = completeConfig(options.config)
  const log = options.log ?? createLogger(config.log)
  const { file } = parseDatabaseUrl(config.database_url)
  mkdirSync(config.data_directory, { recursive: true, mode: 0o700 })
  const adminToken = loadAdminToken({
    dataDirectory: config.data_directory,
    environmentToken: options.environment?.MODULACMS_ADMIN_TOKEN,
  })
  const database = await createDatabase({ file, log })
  const parts = composePlugins({ ...options, config }, log, database, file)
  const outbound = composeOutbound({ ...options, config }, log, parts)
  const content = createContent({ database, hooks: parts.hooks })
  for (const [topic, answer] of createCoreCalls({ directory: parts.manager, content })) {
    parts.answers.provide(topic, answer)
  }
  const lifecycle = { isShuttingDown: false }
  const app = options.app ?? createHttpServer(log)
  // An application that was handed in takes the host along when it is closed.
  if (options.app !== undefined) options.app.addHook('onClose', () => close())
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    lifecycle.isShuttingDown = true
    closing ??= closeAll(options, app, { ...parts, outbound }, database, log)
    return closing
  }
  try {
    await parts.sandbox.ready()
    await mount(app, { ...parts, content, outbound, config, log, adminToken, database, lifecycle })
    if (config.plugin_enabled) await parts.manager.start()
    parts.hooks.start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    app,
    plugins: parts.manager,
    hooks: createEmbeddedHooks(parts.hooks, database),
    content,
    adminToken,
    status: () => parts.manager.statusReport(),
    close,
  }
}

interface PluginParts {
  readonly sandbox: Sandbox
  readonly manager: PluginManager
  readonly hooks: HookEngine
  /** Who answers what plugins ask of the host. */
  readonly answers: HostAnswers
}

function composePlugins(
  { config, softLimits, approvesHook, hotReload = watchLimits }: HostOptions & { readonly config: Config },
  log: Logger,
  database: CoreDatabase,
  databaseFile: string,
): PluginParts {
  let manager: PluginManager | undefined
  let hooks: HookEngine | undefined
  const answers = new HostAnswers(log)
  const sandbox = createSandbox({
    entry: new URL('./executor.bundle.js', import.meta.url),
    composition: { databaseFile },
    executors: config.plugin_executors,
    softLimits: softLimits ?? true,
    observer: {
      hardStopped: (plugin, reason) => manager?.noteHardStop(plugin, reason),
      executorLost: (executor, reason) => log.debug({ executor, reason }, 'executor ended'),
      budgetKilled: (plugin, code) => log.warn({ plugin, code }, 'call was stopped by its budget'),
    },
    answer: (ask) => answers.answer(ask),
    report: (report) => {
      if (report.kind === 'log') writePluginLine(log, report.data as PluginLogLine)
      else writePluginReport(log, report)
    },
  })
  manager = createPluginManager({
    directory: resolve(config.plugin_directory),
    settings: generationSettings(config),
    approvalBinding: config.plugin_approval_binding,
    breaker: {
      failuresMax: config.plugin_max_failures,
      resetMs: parseDuration(config.plugin_reset_interval),
    },
    database,
    sandbox,
    log,
    hotReload: config.plugin_hot_reload ? hotReload : undefined,
    isHookBreakerOpen: (plugin, event, table) =>
      hooks
        ?.breakers()
        .some(
          (breaker) =>
            breaker.plugin === plugin &&
            breaker.event === event &&
            breaker.table === table &&
            breaker.state === 'open',
        ) ?? false,
  })
  hooks = createHookEngine({
    directory: manager,
    database,
    limits: hookLimitsOf(config),
    log,
    ...(approvesHook && { isApproved: ({ name }, key) => approvesHook(name, key) }),
  })
  return { sandbox, manager, hooks, answers }
}

function hookLimitsOf(config: Config): HookEngineLimits {
  return {
    hookTimeoutMs: config.plugin_hook_timeout_ms,
    eventTimeoutMs: config.plugin_hook_event_timeout_ms,
    operationsMax: config.plugin_hook_max_ops,
    failuresMax: config.plugin_hook_max_consecutive_aborts,
    concurrentAfterMax: config.plugin_hook_max_concurrent_after,
    afterTimeoutMs: config.plugin_timeout * 1000,
  }
}

interface Outbound {
  readonly calls: OutboundCalls
  close(): void
}

/** Puts together what answers the requests that plugins send to other servers. */
function composeOutbound(
  { config, outbound }: HostOptions & { readonly config: Config },
  log: Logger,
  parts: PluginParts,
): Outbound {
  const client = new OutboundClient({
    allowLocal: config.plugin_request_allow_local,
    responseBytesMax: config.plugin_request_max_response,
  })
  const calls = new OutboundCalls({
    sender: client,
    isApproved: (plugin, domain) => {
      const served = parts.manager.find(plugin)
      return served?.state === 'running' && served.grants.isApproved('domain', domain)
    },
    breaker: {
      failuresMax: config.plugin_request_cb_failures,
      resetMs: config.plugin_request_cb_reset * 1000,
    },
    ratePerMinute: config.plugin_request_rate_limit,
    globalRatePerMinute: config.plugin_request_global_rate,
    timeoutMs: config.plugin_request_timeout * 1000,
    requestBytesMax: config.plugin_request_max_body,
    allowLocal: config.plugin_request_allow_local,
    userAgent: `modulacms/${productVersion()}`,
    log,
    ...outbound,
  })
  parts.answers.provide(requestTopic, (ask) => calls.answer(ask))
  const close = (): void => {
    client.close()
    calls.close()
  }
  return { calls, close }
}

function writePluginLine(log: Logger, { plugin, level, message, fields, requestId }: PluginLogLine): void {
  log[level]({ plugin, ...(requestId === '' ? {} : { request_id: requestId }), context: fields }, message)
}

interface Mounted {
  readonly config: Config
  readonly log: Logger
  readonly adminToken: AdminToken
  readonly database: CoreDatabase
  readonly manager: PluginManager
  readonly content: ContentService
  readonly hooks: HookEngine
  readonly outbound: Outbound
  readonly lifecycle: { readonly isShuttingDown: boolean }
}

async function mount(app: FastifyInstance, parts: Mounted): Promise<void> {
  const { config, hooks, log, manager, outbound, lifecycle } = parts
  const authenticator = createTokenAuthenticator(parts.adminToken.token)
  const authenticate = (request: {
    headers: Record<string, string | string[] | undefined>
  }): User | undefined => authenticator.authenticate(request)
  const addressOf = createClientIp({ trustedProxies: config.plugin_trusted_proxies })
  const clientIp = (request: FastifyRequest): string =>
    addressOf(request.raw.socket.remoteAddress, headerText(request.headers['x-forwarded-for']))
  const buckets = createTokenBuckets({ perSecond: config.plugin_rate_limit, burst: config.plugin_rate_limit })
  const takeToken = (ip: string): boolean => buckets.take(clientNetwork(ip))
  await app.register(createOpenApi({ version: productVersion() }))
  await app.register(createHealthRoutes(() => checkHealth(parts)))
  await app.register(
    createAdminApi({ administration: manager, hooks, outbound: outbound.calls, authenticate, log }),
    {
      prefix: adminPrefix,
    },
  )
  const isHeaderAllowed = (name: string, value: string) => checkResponseHeader(name, value) === 'ok'
  await app.register(
    createContentRoutes({
      content: parts.content,
      hooks,
      authenticate,
      stripCredentials,
      clientIp,
      takeToken,
      isHeaderAllowed,
      log,
    }),
    { prefix: contentPrefix },
  )
  await app.register(
    createPluginRoutes({
      directory: manager,
      authenticate,
      stripCredentials,
      clientIp,
      takeToken,
      isShuttingDown: () => lifecycle.isShuttingDown,
      requestBodyBytesMax: config.plugin_max_request_body,
      log,
    }),
  )
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? (value as string | undefined) : value.join(',')
}

async function checkHealth({ database, manager, lifecycle }: Mounted): Promise<Health> {
  const { running, failed } = manager.statusReport()
  const plugins = { running: running.length, failed: failed.map(({ name }) => name) }
  let databaseState: 'ok' | 'failed' = 'ok'
  try {
    await database.kysely.selectFrom('plugins').select('name').limit(1).execute()
  } catch {
    databaseState = 'failed'
  }
  const serves = databaseState === 'ok' && !lifecycle.isShuttingDown
  const status = serves ? (failed.length > 0 ? 'degraded' : 'ok') : 'unavailable'
  return { status, checks: { database: databaseState, plugins } }
}

async function closeAll(
  options: HostOptions,
  app: FastifyInstance,
  { sandbox, manager, hooks, outbound }: PluginParts & { readonly outbound: Outbound },
  database: CoreDatabase,
  log: Logger,
): Promise<void> {
  // An application that was handed in is closed by its owner, before the host.
  if (options.app === undefined) await app.close()
  await hooks.close()
  await manager.close()
  outbound.close()
  await sandbox.close()
  await database.close()
  if (options.log === undefined) await flushLogger(log)
}
