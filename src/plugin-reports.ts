import type { ExecutorReport } from './sandbox/protocol.js'
import type { Logger } from './telemetry/logger.js'

/** Writes what an executor reports of a plugin to the log. */
export function writePluginReport(log: Logger, { kind, plugin, data }: ExecutorReport): void {
  const fields = { plugin, ...(data as Readonly<Record<string, unknown>>) }
  if (kind === 'schema_drift') {
    log.warn(fields, 'a table differs from its definition')
  } else if (kind === 'blocked_header') {
    log.warn(fields, 'a response header that plugins may not set was left out')
  } else if (kind === 'blocked_request_header') {
    log.warn(fields, 'a header that plugins may not set was left out of a request to another server')
  } else if (kind === 'kv_changes_dropped') {
    log.warn(fields, 'changes of the key-value store were not queued for this plugin')
  } else {
    log.error(fields, 'a host function failed')
  }
}
