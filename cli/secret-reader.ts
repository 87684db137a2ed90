import type { ReadStream } from 'node:tty'

const ctrlC = '\u0003'
const ctrlD = '\u0004'

/**
 * Asks a person for one line at a terminal without showing what they type. Ends the process as an interrupt does when
 * they press Ctrl-C; Ctrl-D and the end of the input end the line.
 */
export async function askSecretly(
  question: string,
  input: ReadStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  output.write(question)
  input.setEncoding('utf8')
  input.setRawMode(true)
  try {
    return await readLine(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

function readLine(input: ReadStream): Promise<string> {
  return new Promise((resolve) => {
    let line = ''
    const done = () => {
      input.off('data', take)
      input.off('end', done)
      resolve(line)
    }
    const take = (typed: string | Buffer) => {
      for (const character of String(typed)) {
        if (character === ctrlC) {
          input.setRawMode(false)
          process.kill(process.pid, 'SIGINT')
        } else if (character === '\r' || character === '\n' || character === ctrlD) return done()
        else if (character === '\b' || character === '\u007f') line = [...line].slice(0, -1).join('')
        else if (character >= ' ') line += character
      }
    }
    input.on('data', take)
    input.on('end', done)
    input.resume()
  })
}
