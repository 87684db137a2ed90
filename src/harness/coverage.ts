import { listExecutableLines } from '../sandbox/executable-lines.js'
import type { CoveredLines } from '../sandbox/line-coverage.js'
import type { FileCoverage } from './results.js'

/** Adds up which lines of a plugin have run, over all its VMs. */
export class CoverageTotal {
  readonly #counts = new Map<string, Map<number, number>>()

  add(all: readonly CoveredLines[]): void {
    for (const lines of all) for (const [file, counts] of lines) this.#addFile(file, counts)
  }

  /**
   * Gives the counts of all lines that can run, of files that no test has loaded as well.
   *
   * @param files Text of each file of the plugin by its path.
   */
  async report(files: ReadonlyMap<string, string>): Promise<readonly FileCoverage[]> {
    const executable = await listExecutableLines(files)
    return [...executable].map(([file, lines]) => {
      const counts = this.#counts.get(file)
      return { file, lines: new Map(lines.map((line) => [line, counts?.get(line) ?? 0])) }
    })
  }

  #addFile(file: string, counts: ReadonlyMap<number, number>): void {
    const total = this.#counts.get(file) ?? new Map<number, number>()
    this.#counts.set(file, total)
    for (const [line, count] of counts) total.set(line, (total.get(line) ?? 0) + count)
  }
}
