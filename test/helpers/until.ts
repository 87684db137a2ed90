import { setTimeout as pause } from 'node:timers/promises'

const deadlineMs = 20_000
const pauseMs = 10

/** Asks again and again until the answer is truthy; rejects when that takes too long. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer as NonNullable<Exclude<T, false>>
    if (performance.now() > end) throw new Error(`waited too long: ${what}`)
    await pause(pauseMs)
  }
}
