// A reporter for the test runner: one line for each test file with a failing test.
// A test inside a suite may have been written in a helper; the suite, or the test at the top, names the file itself: by
// where it stands, or by its name where several files run in one process.

/** @param {AsyncIterable<{ type: string, data: { name: string, file?: string, nesting: number } }>} events */
// biome-ignore lint/style/noDefaultExport: the test runner takes a reporter by its default export
export default async function* failedFiles(events) {
  const seen = new Set()
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.nesting !== 0) continue
    const file = data.name.endsWith('.test.js') ? data.name : data.file
    if (file === undefined || seen.has(file)) continue
    seen.add(file)
    yield `${file}\n`
  }
}
