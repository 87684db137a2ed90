// Preloaded by `run-tests.mjs --timings`: writes down what a test file took, with the processes that it waited for.
import { appendFileSync, readFileSync } from 'node:fs'

const { MODULACMS_TEST_TIMES: file, NODE_TEST_CONTEXT: context } = process.env
const test = process.argv[1]
/** Ticks in which Linux counts the time of processes. */
const tickMs = 10

if (file !== undefined && context !== undefined && test?.endsWith('.test.js')) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage()
    const cpuMs = (user + system) / 1000 + childrenMs()
    appendFileSync(file, `${JSON.stringify({ test, cpuMs, wallMs: performance.now() })}\n`)
  })
}

/** Processor time of children that have ended; 0 where no /proc tells. */
function childrenMs() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[13]) + Number(fields[14])) * tickMs
  } catch {
    return 0
  }
}
