import type { ExecutorDatabase } from '../database/executor-database.js'
import type { TestRecord } from './test/record.js'

/** One line that a plugin logged, on its way to the host's logger. */
export interface PluginLogLine {
  readonly plugin: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
  readonly requestId: string
}

/** What an executor thread is composed with, and what capabilities act on. */
export interface ExecutorServices {
  readonly database: ExecutorDatabase
  writeLog(line: PluginLogLine): void
  /** Takes what a test has found out; only where tests of plugins are run. */
  recordTest?(plugin: string, record: TestRecord): void
}
