import type { Database } from 'better-sqlite3'
import { parseDuration } from '../base/durations.js'
import { DroppedChanges, type DroppedCount } from '../capabilities/kv/dropped-changes.js'
import type { Config } from '../config/schema.js'
import type { CallCounts } from '../kv/call-counts.js'
import type { CommitSignal } from '../kv/commit-signal.js'
import { observeNamespaces } from '../kv/observe.js'
import { createKv, type KvService } from '../kv/service/kv-service.js'
import { KvDeliveries } from '../plugins/kv/kv-deliveries.js'
import type { PluginDirectory } from '../plugins/plugin-directory.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/metrics.js'
import { writeDroppedChanges } from './plugin-reports.js'

/** What the key-value store of a host is made of. */
export interface KvMaterial {
  readonly config: Config
  readonly log: Logger
  /** Of the key-value store alone; closed with it. */
  readonly kvConnection: Database
}

/** What deliveries connect. */
interface DeliveryLinks {
  readonly kv: KvService
  readonly commits: CommitSignal
  readonly metrics: Metrics | undefined
  /** The plugins; asked only after the start. */
  readonly directory: () => PluginDirectory
}

/** What the store of the HTTP thread shares with those of other threads. */
interface KvLinks {
  readonly signal: CommitSignal
  /** Of the calls of plugins. */
  readonly counts: CallCounts
  readonly metrics: Metrics | undefined
}

/** Opens the store for the HTTP thread. */
export function composeKv(
  { config, kvConnection, log }: KvMaterial,
  { signal, counts, metrics }: KvLinks,
): KvService {
  const dropped = new DroppedChanges((count) => tellDropped(log, metrics, count))
  const kv = createKv({
    connection: kvConnection,
    signal,
    namespaceBytes: config.keyval.namespace_bytes,
    sweepIntervalMs: parseDuration(config.keyval.sweep_interval),
    onDropped: ({ plugin }, reason) => dropped.note(plugin, reason),
    onSweepError: (error) => log.error({ err: error }, 'sweep of the key-value store failed'),
  })
  if (metrics === undefined) return kv
  metrics.followKv(
    () => kv.totals(),
    () => counts.read(),
  )
  const measured = observeNamespaces(kv, (call) => metrics.kvObserved(call))
  return {
    namespace: (name) => measured.namespace(name),
    names: () => kv.names(),
    totals: () => kv.totals(),
    stores: kv.stores,
    clock: kv.clock,
    close: () => kv.close(),
  }
}

/** Makes what brings messages and changes to the functions of plugins. */
export function composeDeliveries(
  { config, log }: Pick<KvMaterial, 'config' | 'log'>,
  { kv, commits, metrics, directory }: DeliveryLinks,
): KvDeliveries {
  return new KvDeliveries({
    directory,
    queues: kv.stores.queues,
    triggers: kv.stores.triggers,
    onCommit: (listener) => commits.listen(listener),
    concurrentMax: config.keyval.max_concurrent_messages,
    timeoutMs: config.plugin_timeout * 1000,
    log,
    now: kv.clock,
    ...(metrics && { observe: (sample) => metrics.messageObserved(sample) }),
  })
}

/** Tells operators of changes that were not queued for a plugin. */
export function tellDropped(log: Logger, metrics: Metrics | undefined, dropped: DroppedCount): void {
  writeDroppedChanges(log, dropped)
  metrics?.changesDropped(dropped)
}
