import { resolve } from 'node:path'
import { parseDuration } from '../base/durations.js'
import { watchLimits } from '../base/limits/plugins.js'
import { passwordTopics } from '../capabilities/crypto/wire.js'
import { actionReport, type PluginAction } from '../capabilities/hooks/plugin-action.js'
import { type DroppedCount, droppedReport } from '../capabilities/kv/dropped-changes.js'
import { requestTopic } from '../capabilities/request/wire.js'
import type { PluginLogLine } from '../capabilities/services.js'
import type { Config } from '../config/schema.js'
import { type ContentService, createContent } from '../content/content-service.js'
import type { CoreDatabase } from '../database/database.js'
import { CallCounts } from '../kv/call-counts.js'
import { CommitSignal } from '../kv/commit-signal.js'
import type { KvService } from '../kv/service/kv-service.js'
import { OutboundClient } from '../outbound/outbound-client.js'
import type { PluginConfigs } from '../plugins/config/plugin-configs.js'
import { createCoreCalls } from '../plugins/core-calls.js'
import { PluginMemory } from '../plugins/gateway/plugin-memory.js'
import { ActionRecorder } from '../plugins/hooks/action-recorder.js'
import { createHookEngine, type HookEngine, type HookEngineLimits } from '../plugins/hooks/hook-engine.js'
import { readPluginAction } from '../plugins/hooks/plugin-action.js'
import type { KvDeliveries } from '../plugins/kv/kv-deliveries.js'
import { createPluginManager, type PluginManager } from '../plugins/manager.js'
import { Migrator } from '../plugins/migrations/migrator.js'
import { createProcessRunner } from '../plugins/migrations/process-runner.js'
import { createInlineRunner } from '../plugins/migrations/runner.js'
import { OutboundCalls, type OutboundCallsOptions } from '../plugins/outbound-calls.js'
import { PasswordCalls } from '../plugins/password-calls.js'
import type { ReloadTimes } from '../plugins/watch/reload-schedule.js'
import type { Sandbox } from '../sandbox/generation.js'
import { createSandbox } from '../sandbox/thread-sandbox.js'
import type { Logger } from '../telemetry/logger.js'
import { createMetrics, type Metrics } from '../telemetry/metrics.js'
import { type Measured, measuredReport } from '../telemetry/own-metric.js'
import type { Tracing } from '../telemetry/tracing.js'
import { HostAnswers } from './answers.js'
import { type ExecutorComposition, logReport } from './executor-composition.js'
import { generationSettings } from './generation-settings.js'
import type { HostHarness } from './harness.js'
import { composeDeliveries, composeKv, type KvMaterial, tellDropped } from './kv.js'
import { writePluginReport } from './plugin-reports.js'
import { declaredMetrics, observePlugins, observeSandbox, snapshotPlugins } from './telemetry.js'
import { productVersion } from './version.js'

/** What of a host can be replaced, where plugins are developed or tested. */
export interface PartsOptions {
  /** Present only in a host that runs the tests of plugins; see `plugin-tests.ts`. */
  readonly harness?: HostHarness
  /** Times of hot reload, which `plugin_hot_reload` turns on; those of `watchLimits` when missing. */
  readonly hotReload?: ReloadTimes
  /** False only where the hard stop alone is put to the test. */
  readonly softLimits?: boolean
  /** Milliseconds of one call, less than `plugin_timeout` can say; there as well. */
  readonly callMs?: number
  /** Decides which hooks run, in the place of the admins: the key is `<event>:<table>`. */
  readonly approvesHook?: (plugin: string, key: string) => boolean
  /** Replaces who sends the requests of plugins and who says what is approved, e.g. where plugins are tested. */
  readonly outbound?: Partial<Pick<OutboundCallsOptions, 'sender' | 'isApproved'>>
}

/** What the parts are made of. */
export interface PartsMaterial extends KvMaterial {
  readonly database: CoreDatabase
  /** Path of the SQLite file, which executor threads open by themselves. */
  readonly databaseFile: string
  readonly tracing: Tracing | undefined
  readonly configs: PluginConfigs
}

/** What sends the requests of plugins to other servers. */
export interface Outbound {
  readonly calls: OutboundCalls
  close(): void
}

/** The parts of a host, put together. */
export interface HostParts {
  readonly sandbox: Sandbox
  readonly manager: PluginManager
  readonly hooks: HookEngine
  /** Brings what is done in the administration to plugins. */
  readonly actions: ActionRecorder
  readonly content: ContentService
  readonly outbound: Outbound
  readonly kv: KvService
  /** Brings messages and changes of the key-value store to plugins. */
  readonly deliveries: KvDeliveries
  /** What plugins keep in the memory of the host. */
  readonly memory: PluginMemory
  /** Who answers what plugins ask; the gateway, which is put together later, adds its part. */
  readonly answers: HostAnswers
  /** Undefined when the configuration turns metrics off. */
  readonly metrics: Metrics | undefined
}

/** Puts the parts together; nothing runs yet but the executor threads. */
export function composeHost(options: PartsOptions, material: PartsMaterial): HostParts {
  const { config, database, log } = material
  const metrics = config.metrics.enabled ? createMetrics() : undefined
  const commits = options.harness?.commits ?? new CommitSignal()
  const counts = new CallCounts()
  const answers = new HostAnswers(log)
  let manager: PluginManager | undefined
  let actions: ActionRecorder | undefined
  const acted = (plugin: string, action: PluginAction): void =>
    actions?.recordOfPlugin(readPluginAction(plugin, action))
  const sandbox = composeSandbox(
    options,
    material,
    { answers, metrics, commits, counts, acted },
    () => manager,
  )
  const settings = generationSettings(config)
  const hookBreakers = { isOpen: (_plugin: string, _event: string, _table: string): boolean => false }
  const kv = composeKv(material, { signal: commits, counts, metrics })
  const memory = new PluginMemory()
  const deliveries = composeDeliveries(material, { kv, commits, metrics, directory: () => plugins })
  const plugins = createPluginManager({
    directory: resolve(config.plugin_directory),
    settings: { ...settings, timeoutMs: options.callMs ?? settings.timeoutMs },
    approvalBinding: config.plugin_approval_binding,
    breaker: {
      failuresMax: config.plugin_max_failures,
      resetMs: parseDuration(config.plugin_reset_interval),
    },
    database,
    sandbox,
    configs: material.configs,
    log,
    migrator: composeMigrator(options, material, sandbox),
    hotReload: config.plugin_hot_reload ? (options.hotReload ?? watchLimits) : undefined,
    isHookBreakerOpen: (plugin, event, table) => hookBreakers.isOpen(plugin, event, table),
    observer: observePlugins(metrics),
    follower: memory.following(deliveries.follower),
  })
  manager = plugins
  metrics?.follow(() => snapshotPlugins(plugins, sandbox))
  metrics?.own.follow((plugin) => declaredMetrics(plugins, plugin))
  const hooks = composeHooks(options, material, plugins, metrics)
  actions = new ActionRecorder({
    hooks,
    database,
    log,
    ...(metrics && { lost: (reason, count) => metrics.actionsLost(reason, count) }),
  })
  hookBreakers.isOpen = (plugin, event, table) => isBreakerOpen(hooks, { plugin, event, table })
  const { stores, clock: now } = kv
  options.harness?.attach({ answers, directory: plugins, hooks, queues: stores.queues, now })
  const content = createContent({ database, hooks })
  for (const [topic, answer] of createCoreCalls({ directory: plugins, content }))
    answers.provide(topic, answer)
  const outbound = composeOutbound(options, material, plugins, metrics)
  answers.provide(requestTopic, (ask) => outbound.calls.answer(ask))
  const passwords = new PasswordCalls()
  for (const topic of Object.values(passwordTopics)) answers.provide(topic, (ask) => passwords.answer(ask))
  return {
    sandbox,
    manager: plugins,
    hooks,
    actions,
    content,
    outbound,
    kv,
    deliveries,
    memory,
    answers,
    metrics,
  }
}

function composeMigrator(
  { harness }: PartsOptions,
  { config, database, databaseFile: file, log }: PartsMaterial,
  sandbox: Sandbox,
): Migrator {
  const entry = new URL('../migration-process.bundle.cjs', import.meta.url)
  return new Migrator({
    database,
    // Starting a process for each test takes longer than the test.
    runner: harness ? createInlineRunner(file) : createProcessRunner({ entry, file }),
    log,
    strict: config.plugin_migrations_strict,
    quotaBytes: generationSettings(config).storageBytesMax,
    whileHeld: (work) => sandbox.whileHeld(work),
  })
}

/** What connects the executor threads with the rest of the host. */
interface SandboxLinks {
  readonly answers: HostAnswers
  readonly metrics: Metrics | undefined
  readonly commits: CommitSignal
  readonly counts: CallCounts
  /** Takes what a plugin says that somebody has done. */
  acted(plugin: string, action: PluginAction): void
}

function composeSandbox(
  { softLimits, harness }: PartsOptions,
  { config, configs, databaseFile, log }: PartsMaterial,
  { answers, metrics, commits, counts, acted }: SandboxLinks,
  manager: () => PluginManager | undefined,
): Sandbox {
  const kv = { signal: commits.memory, counts: counts.memory, namespaceBytes: config.keyval.namespace_bytes }
  return (harness?.createSandbox ?? createSandbox)({
    entry: new URL('../executor.bundle.cjs', import.meta.url),
    composition: { databaseFile, kv } satisfies ExecutorComposition,
    executors: config.plugin_executors,
    softLimits: softLimits ?? true,
    observer: observeSandbox(log, metrics, manager),
    answer: (ask) => answers.answer(ask),
    report: (report) => {
      if (harness?.report(report) === true) return
      if (report.kind === logReport) writePluginLine(log, configs, report.data as PluginLogLine)
      else if (report.kind === droppedReport) tellDropped(log, metrics, report.data as DroppedCount)
      else if (report.kind === measuredReport) metrics?.own.take(report.plugin, report.data as Measured)
      else if (report.kind === actionReport) acted(report.plugin, report.data as PluginAction)
      else writePluginReport(log, report)
    },
  })
}

function writePluginLine(
  log: Logger,
  configs: PluginConfigs,
  { plugin, level, message, fields, requestId }: PluginLogLine,
): void {
  const entries = Object.entries(fields).map(([key, text]) => [configs.redact(key), configs.redact(text)])
  const context = Object.fromEntries(entries)
  log[level](
    { plugin, ...(requestId === '' ? {} : { request_id: requestId }), context },
    configs.redact(message),
  )
}

function composeHooks(
  { approvesHook }: PartsOptions,
  { config, database, log }: PartsMaterial,
  directory: PluginManager,
  metrics: Metrics | undefined,
): HookEngine {
  return createHookEngine({
    directory,
    database,
    limits: hookLimitsOf(config),
    log,
    ...(metrics && { observe: (sample) => metrics.hookObserved(sample) }),
    ...(approvesHook && { isApproved: ({ name }, key) => approvesHook(name, key) }),
  })
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

function isBreakerOpen(
  hooks: HookEngine,
  hook: { readonly plugin: string; readonly event: string; readonly table: string },
): boolean {
  return hooks
    .breakers()
    .some(
      ({ plugin, event, table, state }) =>
        state === 'open' && plugin === hook.plugin && event === hook.event && table === hook.table,
    )
}

function composeOutbound(
  { outbound }: PartsOptions,
  { config, log, tracing }: PartsMaterial,
  manager: PluginManager,
  metrics: Metrics | undefined,
): Outbound {
  const client = new OutboundClient({
    allowLocal: config.plugin_request_allow_local,
    responseBytesMax: config.plugin_request_max_response,
  })
  const calls = new OutboundCalls({
    sender: client,
    isApproved: (plugin, domain, generation) =>
      manager.grantsOf(plugin, generation).isApproved('domain', domain),
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
    ...(tracing && { traceHeaders: (requestId) => ({ ...tracing.headersOf(requestId) }) }),
    ...(metrics && { observe: (observation) => metrics.outboundObserved(observation) }),
    ...outbound,
  })
  const close = (): void => {
    client.close()
    calls.close()
  }
  return { calls, close }
}
