import assert from 'node:assert/strict'
import { HostError } from '../../src/base/errors.js'
import type { HookRow } from '../../src/content/hook-runner.js'
import type { EmbeddedHookOptions } from '../../src/plugins/hooks/embedded-hooks.js'
import type { TestHost } from './create-host.js'
import { until } from './until.js'

/** Who runs the hooks, and under which request. */
export const asVisitor = { actor: 'ann', requestId: 'r1' } satisfies EmbeddedHookOptions

/** Runs hooks; again where a machine beyond its cores gave none of them a VM in time. */
export function runHooks(host: TestHost, event: string, table: string, row: object = {}): Promise<HookRow> {
  return until(`${event} on ${table} has a VM`, async () => {
    try {
      return await host.host.hooks.run(event, table, row as HookRow, asVisitor)
    } catch (error) {
      if (error instanceof HostError && error.code === 'HOOK_UNAVAILABLE') return undefined
      throw error
    }
  })
}

/** Runs a before-hook and gives the error that it must end in. */
export async function refusalOf(
  host: TestHost,
  event: string,
  table: string,
  row: object = {},
): Promise<HostError> {
  try {
    await runHooks(host, event, table, row)
  } catch (error) {
    assert.ok(error instanceof HostError, String(error))
    return error
  }
  assert.fail(`${event} on ${table} was allowed`)
}
