import { type WriteEvent, writeEvents } from '../../content/hook-runner.js'

/** When a hook of a write runs: ahead of it, or when it is committed. */
export type WriteHookEvent = `before_${WriteEvent}` | `after_${WriteEvent}`

/** When a hook of a delivery runs. */
export const readHookEvents = ['before_read', 'after_read'] as const

export type ReadHookEvent = (typeof readHookEvents)[number]

export type HookEvent = WriteHookEvent | ReadHookEvent

/** All events by the names that plugins use, in the order of the reference. */
export const hookEvents: readonly HookEvent[] = [
  ...writeEvents.flatMap((event) => [`before_${event}` as const, `after_${event}` as const]),
  ...readHookEvents,
]

/** The table of a hook that is for every table. */
export const everyTable = '*'

/** The table that nobody writes to: a row is made of each action that somebody takes in the administration. */
export const hostActionsTable = 'host_actions'

export function isHookEvent(text: string): text is HookEvent {
  return (hookEvents as readonly string[]).includes(text)
}

export function isReadHookEvent(event: string): event is ReadHookEvent {
  return (readHookEvents as readonly string[]).includes(event)
}

/** True for a hook that runs ahead of a write and may refuse it. */
export function isBeforeWrite(event: HookEvent): boolean {
  return event.startsWith('before_') && !isReadHookEvent(event)
}
