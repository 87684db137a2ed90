import { mkdirSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { metricsArea } from './admin/metrics-operations.js'
import { policyArea } from './auth/policy-area/policy-routes.js'
import { Redactor } from './base/redactor.js'
import { type ConfigInput, loadGiven } from './config/complete.js'
import type { PluginSections } from './config/plugin-sections.js'
import type { Config } from './config/schema.js'
import type { ContentService } from './content/content-service.js'
import { retryWhileBusy } from './database/busy-retry.js'
import { type CoreDatabase, createDatabase } from './database/database.js'
import { openSqlite } from './database/sqlite.js'
import { parseDatabaseUrl } from './database/url.js'
import { createTrust } from './gateway/client-ip.js'
import { gatewayArea, proxyArea } from './gateway/routes/gateway-routes.js'
import { composeAccounts } from './host/accounts.js'
import { composeAuth } from './host/auth.js'
import { isOwn } from './host/gateway.js'
import { composeHost, type HostParts, type PartsOptions } from './host/parts.js'
import { createPluginConfigs, toStartError } from './host/plugin-config.js'
import { composePolicies } from './host/policies.js'
import { mountRoutes, type RoutesMaterial } from './host/routes.js'
import { readServerSettings } from './host/server-settings.js'
import { servingPlugins } from './host/telemetry.js'
import { productVersion } from './host/version.js'
import { type AdminToken, loadAdminToken } from './identity/admin-token.js'
import type { KvNamespaces } from './kv/kv.js'
import { kvArea } from './kv/routes/kv-routes.js'
import type { PluginAdministration } from './plugins/administration.js'
import { createEmbeddedHooks, type EmbeddedHooks } from './plugins/hooks/embedded-hooks.js'
import type { StatusReport } from './plugins/plugin-views.js'
import { createHttpServer } from './server/http-server.js'
import { readOpenFilesMax } from './server/open-files.js'
import { createLogger, flushLogger, type Logger } from './telemetry/logger.js'
import { createTracing, type Tracing } from './telemetry/tracing.js'

export type { KvKey, KvKeyPart } from './kv/key.js'
export type {
  Kv,
  KvAtomic,
  KvBatch,
  KvChange,
  KvCommitResult,
  KvDeadLetter,
  KvDeleteOptions,
  KvEnqueueOptions,
  KvEntry,
  KvHit,
  KvIndex,
  KvIndexOptions,
  KvList,
  KvListOptions,
  KvMessage,
  KvMutateOptions,
  KvNamespaces,
  KvPage,
  KvPageOptions,
  KvQueueStats,
  KvQueues,
  KvSearch,
  KvSearchOptions,
  KvSelector,
  KvSetOptions,
  KvTransaction,
  KvTransactionOptions,
  KvTransactionResult,
  KvWatchOptions,
} from './kv/kv.js'
export { KvNow, type KvObject, KvU64, type KvValue } from './kv/value.js'
export type { Where } from './kv/where.js'

export interface HostOptions extends PartsOptions {
  /** Settings with the keys of `config.json`; what is absent has its default. */
  readonly config: ConfigInput
  /** Environment to take MODULACMS_ADMIN_TOKEN and the OTEL_ variables for traces from; nothing is taken when missing. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The application to mount the routes in; the host creates a server of its own when missing. */
  readonly app?: FastifyInstance
  /** What is said of plugins, where it was read from a file; that of `config` when missing. */
  readonly pluginSections?: PluginSections
  /** Knows the secrets of plugins; a log that is handed in should ask it. One of the host's own when missing. */
  readonly redactor?: Redactor
  /** Where log lines go; standard error when missing. */
  readonly log?: Logger
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
  /** The key-value store; see docs/kv.md. */
  readonly kv: KvNamespaces
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
  const given = loadGiven(options.config)
  const { config } = given
  const redactor = options.redactor ?? new Redactor()
  const log = options.log ?? createLogger({ ...config.log, redactor })
  const configs = createPluginConfigs(config, options.pluginSections ?? given.plugins, redactor)
  const { file } = parseDatabaseUrl(config.database_url)
  mkdirSync(config.data_directory, { recursive: true, mode: 0o700 })
  const { environment = {} } = options
  const adminToken = loadAdminToken({
    dataDirectory: config.data_directory,
    environmentToken: environment.MODULACMS_ADMIN_TOKEN,
  })
  const tracing = await createTracing({ environment, version: productVersion(), log })
  const database = await createDatabase({ file, log })
  const kvConnection = await retryWhileBusy(() => openSqlite({ file, busyTimeoutMs: 0, mustExist: true }))
  const parts = composeHost(options, {
    config,
    configs,
    log,
    database,
    databaseFile: file,
    kvConnection,
    tracing,
  })
  const lifecycle = { isReady: false, isShuttingDown: false }
  const app = options.app ?? createOwnServer(config, log, parts)
  const closers: (() => Promise<void>)[] = []
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    lifecycle.isShuttingDown = true
    closing ??= closeAll(options, { app, parts, database, log, tracing, closers })
    return closing
  }
  // An application that was handed in takes the host along when it is closed.
  if (options.app !== undefined) options.app.addHook('onClose', close)
  try {
    await parts.sandbox.ready()
    const shared = { config, log, database, closers }
    const guard = await composeGuard(options, { ...shared, parts, adminToken: adminToken.token })
    const isOwnServer = options.app === undefined
    const material = { ...shared, ...guard, lifecycle, tracing, isOwnServer }
    // The gateway of the host stands in front of what the host serves, not in front of another's routes.
    if (isOwnServer) await mountRoutes(app, parts, material)
    else await app.register((scope) => mountRoutes(scope, parts, material))
    if (config.plugin_enabled) await parts.manager.start()
    guard.auth.start()
    guard.accounts.start()
    parts.metrics?.figures.follow(servingPlugins(parts.manager))
    parts.hooks.start()
    parts.deliveries.start()
    lifecycle.isReady = true
  } catch (error) {
    await close()
    throw toStartError(error)
  }
  return {
    app,
    plugins: parts.manager,
    hooks: createEmbeddedHooks(parts.hooks, database, () => lifecycle.isShuttingDown),
    content: parts.content,
    kv: parts.kv,
    adminToken,
    status: () => parts.manager.statusReport(),
    close,
  }
}

interface GuardMaterial extends Pick<RoutesMaterial, 'config' | 'log' | 'database' | 'closers'> {
  readonly parts: Pick<HostParts, 'manager'>
  readonly adminToken: string
}

/** Puts together what finds out who sends requests and what they may do; the rules are not in force yet. */
async function composeGuard(
  { harness }: HostOptions,
  { config, log, database, closers, parts, adminToken }: GuardMaterial,
): Promise<Pick<RoutesMaterial, 'accounts' | 'policies' | 'auth'>> {
  const { manager: directory } = parts
  const accounts = composeAccounts({ config, database, log })
  closers.push(() => accounts.close())
  const policies = await composePolicies({ config, database, directory, log })
  closers.push(() => policies.close())
  const auth = composeAuth({
    config,
    log,
    adminToken,
    accounts,
    directory,
    authorizers: [policies.authorizer],
    testAuthenticator: harness?.authenticator,
    isOperation: isOwn,
  })
  closers.push(() => auth.close())
  return { accounts, policies, auth }
}

function createOwnServer(config: Config, log: Logger, { metrics }: HostParts): FastifyInstance {
  const settings = readServerSettings(config, readOpenFilesMax())
  const { maxConnections } = config.server
  if (settings.maxConnections < maxConnections) {
    log.warn(
      { max_connections: settings.maxConnections },
      `server.maxConnections is ${maxConnections}, more than the open files of this process allow; raise "ulimit -n"`,
    )
  }
  return createHttpServer({
    log,
    settings,
    areas: [kvArea, gatewayArea, proxyArea, policyArea, metricsArea],
    isExempt: createTrust(config.plugin_trusted_proxies),
    ...(metrics && { refused: (reason) => metrics.clientRefused(reason) }),
  })
}

interface Closed {
  readonly app: FastifyInstance
  readonly parts: HostParts
  readonly database: CoreDatabase
  readonly log: Logger
  readonly tracing: Tracing | undefined
  readonly closers: readonly (() => Promise<void>)[]
}

async function closeAll(
  options: HostOptions,
  { app, parts, database, log, tracing, closers }: Closed,
): Promise<void> {
  // An application that was handed in is closed by its owner.
  if (options.app === undefined) await app.close()
  await Promise.all([parts.hooks.close(), parts.deliveries.close()])
  await Promise.all(closers.map((close) => close()))
  // Behind whatever can record something, and while the plugins still say what they wait for.
  await parts.actions.close()
  await parts.manager.close()
  parts.outbound.close()
  await parts.sandbox.close()
  await parts.kv.close()
  await database.close()
  await tracing?.close()
  if (options.log === undefined) await flushLogger(log)
}
