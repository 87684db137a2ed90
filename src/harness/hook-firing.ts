import { HostError, messageOf } from '../base/errors.js'
import type { FiredHook, HookOutcome } from '../capabilities/test/topics.js'
import {
  type HookContext,
  type HookRow,
  type HookRunner,
  type WriteEvent,
  writeEvents,
} from '../content/hook-runner.js'
import { testMisuse } from './errors.js'

/** The hooks of a host, as tests use them. */
export interface TestHooks {
  readonly runner: HookRunner
  /** Stores the deliveries of the after-hooks of a write as a write of content does, and lets them go. */
  deliver(write: Parameters<HookRunner['before']>[0], context: HookContext): Promise<void>
  /** Resolves when every after-hook that is owed has run once; gives the errors of those that failed. */
  idle(): Promise<readonly string[]>
}

/** Fires one event and gives what the hooks said. */
export async function fireHook(hooks: TestHooks, fired: FiredHook, requestId: string): Promise<HookOutcome> {
  const context: HookContext = { requestId, actor: 'test', depth: 0 }
  const data = rowOf(fired.data)
  if (fired.event === 'before_read') return fireBeforeRead(hooks, data, context)
  if (fired.event === 'after_read') return fireAfterRead(hooks, data, fired.state, context)
  const [, moment, name] = /^(before|after)_(\w+)$/.exec(fired.event) ?? []
  const event = writeEvents.find((each) => each === name)
  if (event === undefined) throw testMisuse({ reason: `test.fire_hook: invalid hook event "${fired.event}"` })
  const write = writeOf(event, fired.table, data)
  if (moment === 'after') {
    await hooks.deliver(write, context)
    return {}
  }
  try {
    return { row: JSON.stringify(await hooks.runner.before(write, context)) }
  } catch (error) {
    if (error instanceof HostError) return { refusal: error.message }
    throw error
  }
}

function writeOf(event: WriteEvent, table: string, data: HookRow): Parameters<HookRunner['before']>[0] {
  const { _old, _table, _event, ...row } = data
  const old = typeof _old === 'object' && _old !== null ? (_old as HookRow) : row
  return { event, table, row, old: event === 'create' ? undefined : old }
}

async function fireBeforeRead(hooks: TestHooks, data: HookRow, context: HookContext): Promise<HookOutcome> {
  try {
    const { answer, state } = await hooks.runner.beforeRead(readOf(data), context)
    return {
      ...(answer === undefined ? {} : { response: JSON.stringify(answer) }),
      state: JSON.stringify(state),
    }
  } catch (error) {
    return { refusal: messageOf(error) }
  }
}

async function fireAfterRead(
  hooks: TestHooks,
  data: HookRow,
  state: string | undefined,
  context: HookContext,
): Promise<HookOutcome> {
  if (state === undefined) {
    throw testMisuse({ reason: 'test.fire_hook: after_read needs the state that before_read gave' })
  }
  try {
    return { headers: JSON.stringify(await hooks.runner.afterRead(readOf(data), rowOf(state), context)) }
  } catch (error) {
    return { refusal: messageOf(error) }
  }
}

function readOf(data: HookRow): Parameters<HookRunner['beforeRead']>[0] {
  return {
    slug: textOf(data.slug),
    headers: textsOf(data.headers),
    query: textsOf(data.query),
    clientIp: data.client_ip === undefined ? '127.0.0.1' : textOf(data.client_ip),
  }
}

function rowOf(text: string): HookRow {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as HookRow) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts: Record<string, string> = Object.create(null)
  if (typeof value !== 'object' || value === null) return texts
  for (const [name, text] of Object.entries(value)) texts[name.toLowerCase()] = String(text)
  return texts
}
