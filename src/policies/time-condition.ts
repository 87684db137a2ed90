import type { Facts, Finding } from './facts.js'
import type { TimeCondition } from './policy.js'
import { isTimeOfDay } from './policy-rules.js'
import type { ZonedClocks, ZonedTime } from './zoned-clock.js'

/**
 * Makes the check of a time condition that has been checked.
 *
 * @param clocks Clocks that it shares with others.
 */
export function compileTime(condition: TimeCondition, clocks: ZonedClocks): (facts: Facts) => Finding {
  const { after, before, days, timezone = 'UTC' } = condition
  const fromMs = momentOf(after) ?? Number.NEGATIVE_INFINITY
  const untilMs = momentOf(before) ?? Number.POSITIVE_INFINITY
  const inWindow = compileWindow(minutesOf(after), minutesOf(before), days)
  const clock = inWindow === undefined ? undefined : clocks.of(timezone)
  const within: Finding = { truth: true, reason: `the time is within ${say(condition)}` }
  const outside: Finding = { truth: false, reason: `the time is not within ${say(condition)}` }
  const unknown: Finding = { truth: 'error', reason: 'the time is no moment' }
  return ({ timeMs }) => {
    if (!Number.isFinite(timeMs)) return unknown
    if (timeMs < fromMs || timeMs >= untilMs) return outside
    return clock === undefined || inWindow?.(clock.at(timeMs)) ? within : outside
  }
}

/** The part of the condition that comes again every day or week; undefined when there is none. */
function compileWindow(
  after: number | undefined,
  before: number | undefined,
  days: readonly number[] | undefined,
): ((time: ZonedTime) => boolean) | undefined {
  if (after === undefined && before === undefined && days === undefined) return undefined
  const from = after ?? 0
  const until = before ?? 24 * 60
  const isDay = (day: number) => days === undefined || days.includes(day)
  if (from < until) return ({ minutes, day }) => minutes >= from && minutes < until && isDay(day)
  return ({ minutes, day }) => {
    if (minutes >= from) return isDay(day)
    // Past midnight it is still the window of the day before.
    return minutes < until && isDay(day === 1 ? 7 : day - 1)
  }
}

function minutesOf(bound: string | undefined): number | undefined {
  if (bound === undefined || !isTimeOfDay(bound)) return undefined
  const [hours, minutes] = bound.split(':').map(Number)
  return Number(hours) * 60 + Number(minutes)
}

function momentOf(bound: string | undefined): number | undefined {
  return bound === undefined || isTimeOfDay(bound) ? undefined : Date.parse(bound)
}

function say({ after, before, days, timezone }: TimeCondition): string {
  return [
    ...(after === undefined ? [] : [`from ${after}`]),
    ...(before === undefined ? [] : [`before ${before}`]),
    ...(days === undefined ? [] : [`on the days ${days.join(', ')}`]),
    `in ${timezone ?? 'UTC'}`,
  ].join(' ')
}
