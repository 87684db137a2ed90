/** A moment as clocks and calendars of a time zone show it. */
export interface ZonedTime {
  /** Minutes since midnight. */
  readonly minutes: number
  /** 1 is Monday, 7 Sunday. */
  readonly day: number
}

const minuteMs = 60_000
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** Tells whether a text is the IANA name of a time zone that this runtime knows. */
export function isTimeZone(name: string): boolean {
  // Offsets such as "+02:00" are taken by some versions of the runtime only, and know no summer.
  if (!/^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Tells the time of one time zone. */
export interface ZonedClock {
  /** @param ms Milliseconds since 1970. */
  at(ms: number): ZonedTime
}

/** Clocks of time zones. Each is made once, as it takes long to make one of a zone with a summer of its own. */
export class ZonedClocks {
  readonly #known = new Map<string, ZonedClock>()

  /** @param timeZone One that `isTimeZone` takes. */
  of(timeZone: string): ZonedClock {
    const name = timeZone.toUpperCase()
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const clock = name === 'UTC' ? utcClock : new CalendarClock(timeZone)
    this.#known.set(name, clock)
    return clock
  }
}

const dayMinutes = 24 * 60
/** 1 January 1970 was a Thursday. */
const firstDay = 4

const utcClock: ZonedClock = {
  at(ms) {
    const minutes = Math.floor(ms / minuteMs)
    const days = Math.floor(minutes / dayMinutes)
    return { minutes: minutes - days * dayMinutes, day: 1 + modulo(days + firstDay - 1, 7) }
  },
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}

/** It remembers the last minute, as many requests come in one. */
class CalendarClock implements ZonedClock {
  readonly #format: Intl.DateTimeFormat
  #minute = Number.NaN
  #time: ZonedTime = { minutes: 0, day: 1 }

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    })
  }

  at(ms: number): ZonedTime {
    const minute = Math.floor(ms / minuteMs)
    if (minute !== this.#minute) {
      this.#time = this.#read(ms)
      this.#minute = minute
    }
    return this.#time
  }

  #read(ms: number): ZonedTime {
    const parts = new Map(this.#format.formatToParts(ms).map(({ type, value }) => [type, value]))
    return {
      minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
      day: weekdays.indexOf(parts.get('weekday') ?? '') + 1,
    }
  }
}
