/**
 * Maps values through asynchronous work of which only so many run at the same time; results keep the order of the
 * values. Rejects with the first error; work that has not started then is not started.
 */
export async function mapBounded<T, R>(
  values: readonly T[],
  parallelMax: number,
  work: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = values.entries()
  const runner = async () => {
    // The iterator is shared by all runners: each takes the next value that nobody has taken.
    for (const [index, value] of queue) results[index] = await work(value)
  }
  await Promise.all(Array.from({ length: Math.min(parallelMax, values.length) }, runner))
  return results
}
