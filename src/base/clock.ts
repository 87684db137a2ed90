/** Gives milliseconds that never go back. */
export type Clock = () => number

/**
 * Creates a clock in milliseconds since the machine started: equal in all threads of the process, monotonic, with
 * fractions. The absolute values mean nothing outside the process.
 */
export function createMonotonicClock(): Clock {
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
  return () => performance.now() + offset
}
