import type { ExecutorDatabase } from '../database/executor-database.js'
import type { CountedOperation } from '../kv/call-counts.js'
import type { DropReason } from '../kv/sqlite/triggers.js'
import type { Measured } from '../telemetry/own-metric.js'
import type { PluginAction } from './hooks/plugin-action.js'
import type { TestRecord } from './test/record.js'

/** One line that a plugin logged, on its way to the host's logger. */
export interface PluginLogLine {
  readonly plugin: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
  readonly requestId: string
}

/** What the module `kv` needs of its thread. */
export interface KvServices {
  /** Bytes that one namespace may hold. */
  readonly namespaceBytes: number
  /** Tells the other threads that there is something new. */
  committed(): void
  /** Counts a call that has ended. */
  called(operation: CountedOperation, ms: number, ok: boolean): void
  /** Hears that a change was not queued for a plugin. */
  changeDropped(plugin: string, reason: DropReason): void
}

/** What an executor thread is composed with, and what capabilities act on. */
export interface ExecutorServices {
  readonly database: ExecutorDatabase
  /** Undefined where plugins are only looked at. */
  readonly kv: KvServices | undefined
  writeLog(line: PluginLogLine): void
  /** Takes what a call has measured in the metrics of its plugin. */
  measured(plugin: string, measured: Measured): void
  /** Takes what a plugin says that somebody has done. */
  recordAction(plugin: string, action: PluginAction): void
  /** Takes what a test has found out; only where tests of plugins are run. */
  recordTest?(plugin: string, record: TestRecord): void
}
