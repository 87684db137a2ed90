import type { FileCoverage, FileResult, TestReport, TestResult } from '../../src/harness/results.js'
import type { CliContext } from '../context.js'
import { formatTable, paint, printable, printableLines } from '../output.js'

const excerptRadius = 1

/** Lines about one file: its name, a line for each test, and below it what failed. */
export function fileLines(context: CliContext, result: FileResult): readonly string[] {
  const source = result.text.split('\n')
  return ['', printable(result.file), ...result.tests.flatMap((test) => testLines(context, test, source))]
}

function testLines(context: CliContext, test: TestResult, source: readonly string[]): readonly string[] {
  const mark = test.passed ? paint(context, 'green', '✓') : paint(context, 'red', '✗')
  const failures = test.failures.flatMap(({ message, line, error }) => [
    `      ${paint(context, 'red', error === true ? 'ERROR' : 'FAIL')} ${place(test.file, line)}: ${indented(message)}`,
    ...excerpt(context, source, line),
  ])
  const log = test.log.map((line) => `      ${paint(context, 'yellow', 'LOG')} ${printable(line)}`)
  return [`  ${mark} ${printable(test.test)} (${Math.round(test.durationMs)} ms)`, ...failures, ...log]
}

function place(file: string, line: number): string {
  return line > 0 ? `${printable(file)}:${line}` : printable(file)
}

function indented(message: string): string {
  return printableLines(message).split('\n').join('\n        ')
}

/** The line that failed with its neighbours, numbered. */
function excerpt(context: CliContext, source: readonly string[], line: number): readonly string[] {
  if (line < 1 || line > source.length) return []
  const first = Math.max(1, line - excerptRadius)
  const last = Math.min(source.length, line + excerptRadius)
  const width = String(last).length
  const lines: string[] = []
  for (let at = first; at <= last; at += 1) {
    const number = String(at).padStart(width)
    const text = printable((source[at - 1] ?? '').replaceAll('\t', '  '))
    lines.push(
      at === line ? paint(context, 'bold', `      > ${number} | ${text}`) : `        ${number} | ${text}`,
    )
  }
  return lines
}

/** The last line: how many passed and failed, and how long it took. */
export function summaryLine(context: CliContext, { files, durationMs }: TestReport): string {
  const tests = files.flatMap(({ tests }) => tests)
  const failed = tests.filter(({ passed }) => !passed).length
  const text = `${tests.length - failed} passed, ${failed} failed (${Math.round(durationMs)} ms)`
  return paint(context, failed === 0 ? 'green' : 'red', text)
}

/** A table of the lines that ran: each file, then all together. */
export function coverageTable(coverage: readonly FileCoverage[]): string {
  const counted = coverage.map(({ file, lines }) => {
    const missed = [...lines].filter(([, count]) => count === 0).map(([line]) => line)
    return { file, total: lines.size, missed }
  })
  const total = counted.reduce((sum, each) => sum + each.total, 0)
  const missed = counted.reduce((sum, each) => sum + each.missed.length, 0)
  const rows = counted.map((each) => [
    each.file,
    ...share(each.total, each.missed.length),
    ranges(each.missed),
  ])
  return formatTable(
    ['FILE', 'LINES', 'COVERED', 'NOT RUN'],
    [...rows, ['all files', ...share(total, missed), '']],
  )
}

function share(total: number, missed: number): readonly string[] {
  const percent = total === 0 ? 100 : ((total - missed) / total) * 100
  return [String(total), `${percent.toFixed(1)}%`]
}

/** Joins neighbouring numbers: `3-5, 9`. */
function ranges(lines: readonly number[]): string {
  const parts: [number, number][] = []
  for (const line of lines) {
    const last = parts.at(-1)
    if (last !== undefined && last[1] === line - 1) last[1] = line
    else parts.push([line, line])
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ')
}
