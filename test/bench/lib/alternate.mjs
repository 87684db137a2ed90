import { summarize } from './statistics.mjs'

const warmUpSeconds = 2

/**
 * Measures several sides in turn (A B A B ...), so that whatever else the machine does meets all of them.
 *
 * @param sides `{ name, url }` each; all servers run, only one is loaded at a time. A side may have a `shape` of its
 *   own, and something to `prepare` before each measurement.
 * @param shape What the load generator takes; `connections` at least.
 * @returns Medians by name.
 */
export async function alternate(bench, sides, shape) {
  for (const side of sides) await measure(bench, side, { ...shape, seconds: warmUpSeconds })
  const samples = new Map(sides.map(({ name }) => [name, []]))
  for (let round = 1; round <= bench.rounds; round++) {
    for (const side of sides) {
      const { name } = side
      bench.progress(`round ${round}/${bench.rounds} ${name}`)
      samples.get(name).push(await measure(bench, side, { ...shape, seconds: bench.seconds }))
    }
  }
  return new Map([...samples].map(([name, list]) => [name, summarize(list)]))
}

async function measure(bench, { url, prepare, shape: own }, shape) {
  await prepare?.()
  return bench.generator.measure(url, { ...shape, ...own })
}
