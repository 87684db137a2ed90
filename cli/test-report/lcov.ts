import { join } from 'node:path'
import type { FileCoverage } from '../../src/harness/results.js'

/**
 * Writes which lines ran in the format of lcov.
 *
 * @param directory Folder of the plugin, which the paths start with.
 */
export function lcovReport(directory: string, coverage: readonly FileCoverage[]): string {
  return coverage.map((file) => record(directory, file)).join('')
}

function record(directory: string, { file, lines }: FileCoverage): string {
  const hit = [...lines.values()].filter((count) => count > 0).length
  return [
    'TN:',
    `SF:${join(directory, file)}`,
    ...[...lines].map(([line, count]) => `DA:${line},${count}`),
    `LF:${lines.size}`,
    `LH:${hit}`,
    'end_of_record',
    '',
  ].join('\n')
}
