import type { FastifyInstance, FastifyRequest } from 'fastify'
import { adminPrefix } from '../admin/admin-api.js'
import { metricsPrefixes } from '../admin/metrics-operations.js'
import type { RecordChange } from '../areas/recorded-change.js'
import { policyPrefixes } from '../auth/policy-area/policy-routes.js'
import { identityOf } from '../auth/request-identity.js'
import { parseDuration } from '../base/durations.js'
import { listOrigins } from '../config/gateway-rules.js'
import type { Config } from '../config/schema.js'
import type { CoreDatabase } from '../database/database.js'
import { addCacheRoutes } from '../gateway/cache/cache-routes.js'
import { ResponseCache } from '../gateway/cache/response-cache.js'
import { addCompression } from '../gateway/compression.js'
import { type Cors, createCors } from '../gateway/cors/cors.js'
import { addCorsRoutes } from '../gateway/cors/cors-routes.js'
import { Follower } from '../gateway/follower.js'
import { createMonitor, type Monitor } from '../gateway/monitor/monitor.js'
import { compilePaths } from '../gateway/path-pattern.js'
import { Pipeline } from '../gateway/pipeline.js'
import { createProxy, type GatewayProxy } from '../gateway/proxy/proxy.js'
import { addProxyRoutes } from '../gateway/proxy/proxy-routes.js'
import { attachUpgrades } from '../gateway/proxy/upgrade.js'
import { RateLimit } from '../gateway/rate-limit/rate-limit.js'
import { addRateLimitRoutes } from '../gateway/rate-limit/rate-limit-routes.js'
import { isBelow } from '../gateway/request-path.js'
import { createAdminArea } from '../gateway/routes/admin-area.js'
import { actorOf } from '../gateway/routes/gate.js'
import { createGatewayRoutes, gatewayPrefixes, proxyPrefixes } from '../gateway/routes/gateway-routes.js'
import { createShell, type Shell } from '../gateway/shell/shell.js'
import { addShellRoutes } from '../gateway/shell/shell-routes.js'
import { type Stage, stagePriorities } from '../gateway/stage.js'
import { placeOf } from '../gateway/stage-chain.js'
import type { CredentialFilter } from '../identity/credentials.js'
import type { User } from '../identity/user.js'
import { kvPrefixes } from '../kv/routes/kv-routes.js'
import { DirectoryView } from '../plugins/directory-view.js'
import { createGatewayCalls } from '../plugins/gateway/gateway-calls.js'
import type { PluginMemory } from '../plugins/gateway/plugin-memory.js'
import type { GrantDirectory, PluginDirectory } from '../plugins/plugin-directory.js'
import { createStageEngine, type StageEngine, type StageTroubles } from '../plugins/stages/stage-engine.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { HostAnswers } from './answers.js'
import type { HostAuth } from './auth.js'
import { healthPaths } from './health.js'

/** What the gateway needs of its host. */
export interface GatewayMaterial {
  readonly config: Config
  readonly database: CoreDatabase
  readonly directory: PluginDirectory & GrantDirectory
  readonly memory: PluginMemory
  /** Gets the answers to what plugins ask of the gateway. */
  readonly answers: HostAnswers
  readonly log: Logger
  /** Counts the runs of stages of plugins, and asks how the parts are doing; nothing does when missing. */
  readonly metrics?: Pick<Metrics, 'stageObserved' | 'followGateway'> | undefined
  /** What finds out who sends a request, and whether they may. */
  readonly auth: HostAuth
  authenticate(request: FastifyRequest): User | undefined
  /** Takes notice of what admins change. */
  readonly record: RecordChange
  clientIp(request: FastifyRequest): string
  /** Knows the credentials of the host. */
  readonly credentials: CredentialFilter
}

/** Paths of the host itself: no shell, no proxy rule and no stage of a plugin stands in their way. */
const ownPrefixes = [
  adminPrefix,
  '/api/v1/auth',
  '/api/v1/openapi.json',
  '/metrics',
  ...healthPaths,
  ...gatewayPrefixes,
  ...proxyPrefixes,
  ...kvPrefixes,
  ...metricsPrefixes,
  ...policyPrefixes,
]

/** Tells whether a path is one of the host itself, which decides by itself who may do what there. */
export function isOwn(path: string): boolean {
  return ownPrefixes.some((prefix) => isBelow(path, prefix))
}

/** The inbound gateway of a host. */
export class HostGateway {
  readonly #parts: GatewayParts

  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  /** Puts the gateway in front of the routes that are added to the application from now on. */
  async install(app: FastifyInstance): Promise<void> {
    const { pipeline, proxy, config } = this.#parts
    proxy.install(app)
    pipeline.install(app)
    const { enabled, threshold } = config.gateway.compression
    await addCompression(app, { enabled, thresholdBytes: threshold })
  }

  /** Takes upgrades of connections, where the server is the host's own. */
  takeUpgrades(app: FastifyInstance): void {
    attachUpgrades(app)
  }

  /** Adds the routes for admins. */
  async mountRoutes(app: FastifyInstance): Promise<void> {
    const { authenticate, log, record, monitor, pipeline, limit, cors, shell, cache, proxy } = this.#parts
    const area = { authenticate, log, record }
    const parts = [
      (routes: FastifyInstance) => addRateLimitRoutes(routes, limit),
      (routes: FastifyInstance) => addCorsRoutes(routes, cors),
      (routes: FastifyInstance) => addShellRoutes(routes, shell, actorOf),
      (routes: FastifyInstance) => addCacheRoutes(routes, cache),
    ]
    for (const [at, prefix] of gatewayPrefixes.entries()) {
      const routes = createGatewayRoutes({ ...area, isDocumented: at === 0, monitor, pipeline, parts })
      await app.register(routes, { prefix })
    }
    const rules = [(routes: FastifyInstance) => addProxyRoutes(routes, proxy)]
    for (const [at, prefix] of proxyPrefixes.entries()) {
      await app.register(createAdminArea({ ...area, isDocumented: at === 0, parts: rules }), { prefix })
    }
  }

  async start(): Promise<void> {
    await this.#parts.monitor.start()
    this.#parts.follower.start()
  }

  /** Approved stages of plugins that do not run at this moment. */
  troubles(): StageTroubles {
    return this.#parts.engine.troubles()
  }

  /** To be called when no request is served any more, and before the database is closed. */
  async close(): Promise<void> {
    await this.#parts.follower.close()
    await this.#parts.monitor.close()
    this.#parts.engine.close()
  }
}

interface GatewayParts extends Pick<GatewayMaterial, 'config' | 'log' | 'authenticate' | 'record'> {
  readonly pipeline: Pipeline
  readonly engine: StageEngine
  readonly monitor: Monitor
  readonly follower: Follower
  readonly limit: RateLimit | undefined
  readonly cors: Cors
  readonly shell: Shell
  readonly cache: ResponseCache
  readonly proxy: GatewayProxy
}

/**
 * Puts the inbound gateway together.
 *
 * @throws HostError when the configuration names what cannot be used, such as a directory without a shell.
 */
export async function composeGateway(material: GatewayMaterial): Promise<HostGateway> {
  const { config, database, directory, log, metrics, authenticate, record, clientIp } = material
  const { gateway } = config
  const engine = composeEngine(material)
  const limit = composeLimit(material, engine)
  const cors = await composeCors(material)
  const shell = await composeShell(material)
  const proxy = await composeProxy(material)
  const cache = composeCache(material, proxy, engine)
  const views = {
    limiter: limit,
    cors: { rules: () => cors.list() },
    shell,
    cache: gateway.cache.enabled ? { stats: () => cache.stats(), config: () => gateway.cache } : undefined,
  }
  const monitor = createMonitor({
    views,
    database,
    logSize: gateway.log.size,
    keepsHistory: gateway.history.enabled,
    log,
  })
  metrics?.followGateway(() => ({
    rateLimit: limit?.metrics(),
    cache: gateway.cache.enabled ? cache.stats() : undefined,
    tunnels: proxy.tunnels,
    stages: engine.troubles(),
  }))
  const figures = {
    requestLog: monitor.requestLog,
    limiter: limit,
    cache: gateway.cache.enabled ? cache : undefined,
    shell,
    cors: views.cors,
  }
  const calls = createGatewayCalls({ directory, memory: material.memory, figures, shell })
  for (const [topic, answer] of calls) material.answers.provide(topic, answer)
  const stages = [
    monitor.stage,
    proxy.stage,
    ...shell.stages,
    cors.stage,
    ...(limit === undefined ? [] : [limit.stage]),
    ...cache.stages,
    ...material.auth.stages,
  ]
  const pipeline = new Pipeline({
    stages,
    pluginStages: engine.stages,
    places: gateway.priorities,
    hosts: gateway.hosts,
    log,
    userOf: authenticate,
    clientIp,
    credentials: material.credentials,
  })
  return new HostGateway({
    config,
    log,
    authenticate,
    record,
    pipeline,
    engine,
    monitor,
    follower: new Follower({ database, followed: { proxy: proxy.rules, cors, shell }, log }),
    limit,
    cors,
    shell,
    cache,
    proxy,
  })
}

function composeEngine({ config, directory, log, metrics }: GatewayMaterial): StageEngine {
  const { stage } = config.gateway
  return createStageEngine({
    directory,
    log,
    isApproved: ({ grants }, key) => grants.isApproved('stage', key),
    untouched: ownPrefixes,
    breaker: { failuresMax: stage.failures, resetMs: parseDuration(stage.reset) },
    timeoutMs: parseDuration(stage.timeout),
    observe: metrics && ((run) => metrics.stageObserved(run)),
  })
}

function composeLimit({ config, log }: GatewayMaterial, engine: StageEngine): RateLimit | undefined {
  const { enabled, maxBuckets, rules, ...rest } = config.gateway.rateLimit
  if (!enabled) return undefined
  const { requests, window, keyBy } = rest
  log.info({ requests, window, keyBy, rules: rules.length }, 'requests are limited')
  return new RateLimit({
    ...rest,
    rules,
    bucketsMax: maxBuckets,
    keyFunction: (name) => engine.keyFunction(name),
    log,
  })
}

function composeCors({ config, database, log }: GatewayMaterial): Promise<Cors> {
  const { enabled, origin, ...rest } = config.gateway.cors
  const configured = enabled ? { ...rest, origin: listOrigins(origin) } : undefined
  if (enabled) log.info({ origin, credentials: rest.credentials }, 'pages of other origins may read answers')
  return createCors({ database, log, ...(configured && { configured }) })
}

function composeShell({ auth, config, database, log }: GatewayMaterial): Promise<Shell> {
  const { shellDir, shellRoutes, shellExcludes } = config.gateway
  const authz = auth.stages.find(({ name }) => name === 'authz')
  return createShell({
    dir: shellDir,
    hosts: shellRoutes,
    envExcludes: shellExcludes,
    apiPrefixes: ['/api', ...ownPrefixes],
    admit: (exchange) => authz?.onRequest?.(exchange),
    database,
    log,
  })
}

async function composeProxy({ auth, config, database, log }: GatewayMaterial): Promise<GatewayProxy> {
  const { rules, allowTargets, timeout } = config.gateway.proxy
  const headersMs = parseDuration(timeout)
  const proxy = await createProxy({
    database,
    log,
    rules,
    allowTargets,
    headersMs,
    isReserved: isOwn,
    identityOf: ({ raw }) => identityOf(raw),
  })
  auth.exempt((method, path) => proxy.isPublic(path, method))
  return proxy
}

function composeCache(
  { config, directory }: GatewayMaterial,
  proxy: GatewayProxy,
  engine: StageEngine,
): ResponseCache {
  const { cache, priorities } = config.gateway
  const { ttl, excludePaths, ...options } = cache
  const place = priorities.cache ?? stagePriorities.gateway
  const isBehind = (stage: Stage): boolean => placeOf(stage, priorities) >= place
  const isExcluded = compilePaths(excludePaths)
  const plugins = new DirectoryView(directory, () => ({}))
  return new ResponseCache({
    ...options,
    ttlSeconds: ttl,
    isExcluded: (path) => isOwn(path) || isExcluded(path),
    isGuarded: (exchange) => engine.isGuarded(exchange, isBehind),
    origins: [() => plugins.current(), () => proxy.rules.active],
  })
}
