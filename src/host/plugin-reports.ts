import type { DroppedCount } from '../capabilities/kv/dropped-changes.js'
import type { DropReason } from '../kv/sqlite/triggers.js'
import type { ExecutorReport } from '../sandbox/protocol.js'
import type { Logger } from '../telemetry/logger.js'

/** Why changes are dropped, for operators. */
const dropReasons: Readonly<Record<DropReason, string>> = {
  full: 'too many wait for it',
  depth: 'its functions, and those of others, lead to one another without end',
}

/** Writes that changes of the key-value store were not queued for a plugin. */
export function writeDroppedChanges(log: Logger, { plugin, reason, count }: DroppedCount): void {
  const fields = { plugin, count, reason: dropReasons[reason] }
  log.warn(fields, 'changes of the key-value store were not queued for a plugin')
}

/** Writes what an executor reports of a plugin to the log. */
export function writePluginReport(log: Logger, { kind, plugin, data }: ExecutorReport): void {
  const fields = { plugin, ...(data as Readonly<Record<string, unknown>>) }
  if (kind === 'schema_drift') {
    log.warn(fields, 'a table differs from its definition')
  } else if (kind === 'blocked_header') {
    log.warn(fields, 'a response header that plugins may not set was left out')
  } else if (kind === 'blocked_request_header') {
    log.warn(fields, 'a header that plugins may not set was left out of a request to another server')
  } else {
    log.error(fields, 'a host function failed')
  }
}
