import { createInterface } from 'node:readline'

/**
 * Creates the function that asks a person for one line after another. The input is opened at the first question and
 * stays open: lines typed ahead answer the questions that follow. At the end of the input every answer is empty.
 */
export function createLineReader(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): (question: string) => Promise<string> {
  let reader: AsyncIterator<string> | undefined
  return async (question) => {
    // Questions are written here and not by readline, which would draw them again with every line typed ahead.
    output.write(question)
    reader ??= createInterface({ input, terminal: false })[Symbol.asyncIterator]()
    const line = await reader.next()
    return line.done ? '' : line.value
  }
}
