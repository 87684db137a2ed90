/**
 * Creates the clock of a store: milliseconds since 1970 that never go back in this thread, so that what has expired
 * stays expired when the clock of the machine is set back.
 *
 * @param wallClock Where the time comes from; `Date.now` when missing.
 */
export function createKvClock(wallClock: () => number = Date.now): () => number {
  let latest = 0
  return () => {
    const now = wallClock()
    if (now > latest) latest = now
    return latest
  }
}
