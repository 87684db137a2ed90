import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { adminPrefix, createAdminApi } from './admin/admin-api.js'
import { createOpenApi } from './admin/openapi.js'
import { parseDuration } from './base/durations.js'
import type { PluginLogLine } from './capabilities/services.js'
import type { Config } from './config/schema.js'
import { type CoreDatabase, createDatabase } from './database/database.js'
import { parseDatabaseUrl } from './database/url.js'
import type { ExecutorComposition } from './executor.js'
import { createClientIp } from './gateway/client-ip.js'
import { clientNetwork } from './gateway/ip-address.js'
import { createTokenBuckets } from './gateway/rate-limit.js'
import { generationSettings } from './generation-settings.js'
import { createHealthRoutes, type Health } from './health.js'
import { HostAnswers } from './host-answers.js'
import type { HostHarness } from './host-harness.js'
import { createHttpServer } from './http-server.js'
import { type AdminToken, loadAdminToken } from './identity/admin-token.js'
import type { Authenticator, User } from './identity/authenticator.js'
import { stripCredentials } from './identity/credentials.js'
import { createTokenAuthenticator } from './identity/token-authenticator.js'
import { writePluginReport } from './plugin-reports.js'
import type { PluginAdministration } from './plugins/administration.js'
import { createPluginRoutes } from './plugins/dispatch.js'
import { createPluginManager, type PluginManager } from './plugins/manager.js'
import type { StatusReport } from './plugins/plugin-views.js'
import type { Sandbox } from './sandbox/generation.js'
import { createSandbox } from './sandbox/thread-sandbox.js'
import { createLogger, flushLogger, type Logger } from './telemetry/logger.js'
import { productVersion } from './version.js'

export interface HostOptions {
  readonly config: Config
  /** Environment to take MODULACMS_ADMIN_TOKEN from; nothing is taken when missing. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The application to mount the routes in; the host creates a server of its own when missing. */
  readonly app?: FastifyInstance
  /** Where log lines go; standard error when missing. */
  readonly log?: Logger
  /** False only where the hard stop alone is put to the test. */
  readonly softLimits?: boolean
  /** Present only in a host that runs the tests of plugins; see `plugin-tests.ts`. */
  readonly harness?: HostHarness
}

/** A running plugin host. */
export interface Host {
  /** The application that serves the routes; call `listen` on it. */
  readonly app: FastifyInstance
  readonly plugins: PluginAdministration
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
  const { config } = options
  const log = options.log ?? createLogger(config.log)
  const { file } = parseDatabaseUrl(config.database_url)
  mkdirSync(config.data_directory, { recursive: true, mode: 0o700 })
  const adminToken = loadAdminToken({
    dataDirectory: config.data_directory,
    environmentToken: options.environment?.MODULACMS_ADMIN_TOKEN,
  })
  const database = await createDatabase({ file, log })
  const parts = composePlugins(options, log, database, file)
  const lifecycle = { isShuttingDown: false }
  const app = options.app ?? createHttpServer(log)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    lifecycle.isShuttingDown = true
    closing ??= closeAll(options, app, parts, database, log)
    return closing
  }
  try {
    await parts.sandbox.ready()
    const own = createTokenAuthenticator(adminToken.token)
    const authenticator = options.harness?.authenticator(own) ?? own
    await mount(app, { config, log, authenticator, database, manager: parts.manager, lifecycle })
    if (config.plugin_hot_reload)
      log.warn({}, 'plugin_hot_reload has no effect: this version does not watch files')
    if (config.plugin_enabled) await parts.manager.start()
  } catch (error) {
    await close()
    throw error
  }
  return { app, plugins: parts.manager, adminToken, status: () => parts.manager.statusReport(), close }
}

interface PluginParts {
  readonly sandbox: Sandbox
  readonly manager: PluginManager
  /** Who answers what plugins ask of the host. */
  readonly answers: HostAnswers
}

function composePlugins(
  { config, softLimits, harness }: HostOptions,
  log: Logger,
  database: CoreDatabase,
  databaseFile: string,
): PluginParts {
  let manager: PluginManager | undefined
  const answers = new HostAnswers(log)
  const sandbox = (harness?.createSandbox ?? createSandbox)({
    entry: new URL('./executor.bundle.js', import.meta.url),
    composition: { databaseFile } satisfies ExecutorComposition,
    executors: config.plugin_executors,
    softLimits: softLimits ?? true,
    observer: {
      hardStopped: (plugin, reason) => manager?.noteHardStop(plugin, reason),
      executorLost: (executor, reason) => log.debug({ executor, reason }, 'executor ended'),
      budgetKilled: (plugin, code) => log.warn({ plugin, code }, 'call was stopped by its budget'),
    },
    answer: (ask) => answers.answer(ask),
    report: (report) => {
      if (harness?.report(report) === true) return
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
  })
  harness?.attach({ answers, directory: manager })
  return { sandbox, manager, answers }
}

function writePluginLine(log: Logger, { plugin, level, message, fields, requestId }: PluginLogLine): void {
  log[level]({ plugin, ...(requestId === '' ? {} : { request_id: requestId }), context: fields }, message)
}

interface Mounted {
  readonly config: Config
  readonly log: Logger
  readonly authenticator: Authenticator
  readonly database: CoreDatabase
  readonly manager: PluginManager
  readonly lifecycle: { readonly isShuttingDown: boolean }
}

async function mount(app: FastifyInstance, parts: Mounted): Promise<void> {
  const { config, log, manager, lifecycle } = parts
  const authenticate = (request: {
    headers: Record<string, string | string[] | undefined>
  }): User | undefined => parts.authenticator.authenticate(request)
  const clientIp = createClientIp({ trustedProxies: config.plugin_trusted_proxies })
  const buckets = createTokenBuckets({ perSecond: config.plugin_rate_limit, burst: config.plugin_rate_limit })
  await app.register(createOpenApi({ version: productVersion() }))
  await app.register(createHealthRoutes(() => checkHealth(parts)))
  await app.register(createAdminApi({ administration: manager, authenticate, log }), { prefix: adminPrefix })
  await app.register(
    createPluginRoutes({
      directory: manager,
      authenticate,
      stripCredentials,
      clientIp: (request) =>
        clientIp(request.raw.socket.remoteAddress, headerText(request.headers['x-forwarded-for'])),
      takeToken: (ip) => buckets.take(clientNetwork(ip)),
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
  { sandbox, manager }: PluginParts,
  database: CoreDatabase,
  log: Logger,
): Promise<void> {
  // An application that was handed in is closed by its owner, before the host.
  if (options.app === undefined) await app.close()
  await manager.close()
  await sandbox.close()
  await database.close()
  if (options.log === undefined) await flushLogger(log)
}
