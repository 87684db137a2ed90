import { hookLimits } from '../../base/limits/hooks.js'
import type { Registration } from '../../sandbox/host-function.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import {
  everyTable,
  type HookEvent,
  hookEvents,
  hostActionsTable,
  isHookEvent,
  isReadHookEvent,
} from './events.js'

/** Kind of the registrations of hooks. */
export const hookRegistration = 'hook'

/** A hook as a plugin registered it. */
export interface HookDeclaration {
  /** Names the registration within its plugin: `<event>:<table>#<n>`. */
  readonly key: string
  readonly event: HookEvent
  /** `*` for every table. */
  readonly table: string
  readonly priority: number
  /** Position among the hooks of its plugin, from 1. */
  readonly number: number
  /** Position among the hooks of its plugin for the same event and table, from 1. */
  readonly ordinal: number
}

/** Names what an approval holds for: all hooks of a plugin for an event and a table. */
export function hookApprovalKey(event: string, table: string): string {
  return `${event}:${table}`
}

/** Takes such a name apart; no event has a colon, tables may. */
export function parseHookApprovalKey(key: string): { readonly event: string; readonly table: string } {
  const colon = key.indexOf(':')
  return { event: key.slice(0, colon), table: key.slice(colon + 1) }
}

/** The event of a registration, by its key. */
export function eventOfKey(key: string): HookEvent {
  const event = key.slice(0, key.indexOf(':'))
  if (!isHookEvent(event)) throw new Error(`${key} is no key of a hook`)
  return event
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name with control characters could forge lines of a log.
const controlCharacter = /[\u0000-\u001f\u007f]/

/** Says what is wrong with a hook that a plugin wants to register; undefined when nothing is. */
export function checkHook(event: string, table: string, count: number): string | undefined {
  if (!isHookEvent(event)) {
    return `invalid hook event ${JSON.stringify(event.slice(0, 64))}: use one of ${hookEvents.join(', ')}`
  }
  if (table === '') return 'the table of a hook must not be empty; "*" is every table'
  if (Buffer.byteLength(table) > hookLimits.tableBytesMax || controlCharacter.test(table)) {
    return `invalid hook table: it must have at most ${hookLimits.tableBytesMax} bytes and no control characters`
  }
  if (table === everyTable && isReadHookEvent(event)) {
    return `${event} needs the name of a table: "*" is not allowed for read hooks`
  }
  if (table === hostActionsTable && event !== 'after_create') {
    return `${event} never happens to ${hostActionsTable}: what was done can only be noted, by after_create`
  }
  if (count < hookLimits.registrationsMax) return undefined
  return `maximum hook limit reached: a plugin may have ${hookLimits.registrationsMax} hooks; merge some`
}

/** The priority that counts: truncated, within its bounds, the default for what is no number. */
export function readPriority(options: LuaValue): number {
  const { priorityDefault, priorityMax, priorityMin } = hookLimits
  if (typeof options !== 'object' || options === null || !('priority' in options)) return priorityDefault
  const { priority } = options
  if (typeof priority !== 'number' && typeof priority !== 'bigint') return priorityDefault
  const number = Math.trunc(Number(priority))
  if (Number.isNaN(number)) return priorityDefault
  return Math.min(Math.max(number, priorityMin), priorityMax)
}

/** Picks the hooks out of what a plugin registered, in the order of registration. */
export function hooksOf(registrations: readonly Registration[]): readonly HookDeclaration[] {
  const hooks: HookDeclaration[] = []
  for (const { kind, key, data } of registrations) {
    if (kind !== hookRegistration) continue
    const { event, table, priority } = data
    if (typeof event !== 'string' || !isHookEvent(event)) continue
    if (typeof table !== 'string' || typeof priority !== 'number') continue
    const ordinal = 1 + hooks.filter((hook) => hook.event === event && hook.table === table).length
    hooks.push({ key, event, table, priority, number: hooks.length + 1, ordinal })
  }
  return hooks
}
