/** Rounds to what the noise of a measurement leaves meaningful. */
function short(number, digits = 2) {
  return Number.isFinite(number) ? number.toFixed(digits) : '-'
}

/** One side's medians as text: requests a second, and latencies. */
export function describeSide({ requestsPerSecond, p50Ms, p99Ms }) {
  const digits = p50Ms < 0.1 ? 3 : 2
  return `${Math.round(requestsPerSecond)}/s p50 ${short(p50Ms, digits)} p99 ${short(p99Ms, digits)} ms`
}

/** A result that holds when `value` is at least `line`. */
export function atLeast(name, what, value, line, unit, sides) {
  return {
    name,
    what,
    line: `>= ${line}${unit}`,
    measured: `${short(value)}${unit}`,
    value,
    held: value >= line,
    ...sides,
  }
}

/** A result that holds when `value` is at most `line`. */
export function atMost(name, what, value, line, unit, sides) {
  return {
    name,
    what,
    line: `<= ${line}${unit}`,
    measured: `${short(value)}${unit}`,
    value,
    held: value <= line,
    ...sides,
  }
}

/** A ratio without a line: it is printed to be known. */
export function told(name, what, value, _line, unit, sides) {
  return { name, what, line: '-', measured: `${short(value)}${unit}`, value, held: true, ...sides }
}

/** Figures without a line: they are printed to be known. */
export function noted(name, what, { ours, theirs }) {
  return {
    name,
    what,
    line: '-',
    measured: `${short(ours.p99Ms, 3)} ms`,
    value: ours.p99Ms,
    held: true,
    ours,
    theirs,
  }
}

/** A result that could not be measured, with the reason. */
export function notAvailable(name, what, line, error) {
  const lines = String(error.message ?? error)
    .trim()
    .split('\n')
  // A process that dies prints where before it says why.
  const reason = lines.find((text) => /^\w*Error: /.test(text)) ?? lines[0]
  return { name, what, line, measured: 'not available', held: null, note: reason }
}

/** The results as an aligned text table. */
export function renderTable(results) {
  const header = ['row', 'what', 'line', 'measured', 'held', 'modulacms', 'compared with']
  const rows = results.map((result) => [
    result.name,
    result.what,
    result.line,
    result.measured,
    result.held === null ? '-' : result.held ? 'yes' : 'NO',
    result.ours ? describeSide(result.ours) : (result.note ?? ''),
    result.theirs ? describeSide(result.theirs) : '',
  ])
  const table = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return lines.join('\n')
}
