/** Gives milliseconds that never go back. */
export type Clock = () => number

/** Pairs of readings of which the best counts. */
const readings = 16

/**
 * Creates a clock in milliseconds since the machine started: equal in all threads of the process, monotonic, with
 * fractions. The absolute values mean nothing outside the process.
 */
export function createMonotonicClock(): Clock {
  const offset = readOffset()
  return () => performance.now() + offset
}

/**
 * How far `performance.now()` of this thread is behind the clock of the machine. Time that passes between the two
 * readings of a pair makes the result too small: the first pair in a new thread is some milliseconds apart, as its
 * code is compiled between them.
 */
function readOffset(): number {
  let best = Number.NEGATIVE_INFINITY
  for (let count = 0; count < readings; count += 1) {
    best = Math.max(best, Number(process.hrtime.bigint()) / 1e6 - performance.now())
  }
  return best
}
