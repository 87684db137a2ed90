import { summarize } from './statistics.mjs'

const warmUpSeconds = 2

/**
 * Measures several sides in turn (A B A B ...), so that whatever else the machine does meets all of them.
 *
 * @param sides `{ name, url }` each; all servers run, only one is loaded at a time.
 * @returns Medians by name.
 */
export async function alternate(bench, sides, connections) {
  for (const { url } of sides) await bench.generator.measure(url, { connections, seconds: warmUpSeconds })
  const samples = new Map(sides.map(({ name }) => [name, []]))
  for (let round = 1; round <= bench.rounds; round++) {
    for (const { name, url } of sides) {
      bench.progress(`round ${round}/${bench.rounds} ${name}`)
      samples.get(name).push(await bench.generator.measure(url, { connections, seconds: bench.seconds }))
    }
  }
  return new Map([...samples].map(([name, list]) => [name, summarize(list)]))
}
