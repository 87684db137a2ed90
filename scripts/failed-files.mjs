// A reporter for the test runner: one line for each test file with a failing test.

/** @param {AsyncIterable<{ type: string, data: { file?: string } }>} events */
// biome-ignore lint/style/noDefaultExport: the test runner takes a reporter by its default export
export default async function* failedFiles(events) {
  const seen = new Set()
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.file === undefined || seen.has(data.file)) continue
    seen.add(data.file)
    yield `${data.file}\n`
  }
}
