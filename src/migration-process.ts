import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { migrationLimits } from './base/limits/plugins.js'
import { type MigrationStep, runStep } from './plugins/migrations/migration-step.js'
import type { ProcessMessage, ProcessOrder } from './plugins/migrations/process-messages.js'
import { rehearse } from './plugins/migrations/rehearsal.js'
import { describeFailure, openStepSession } from './plugins/migrations/runner.js'

/**
 * The thread that ends this process when a migration takes too long. The main thread is inside SQLite then and can do
 * nothing; and the host, which could kill it from outside, may be dead by that time.
 */
const watchdog = `
  const { parentPort } = require('node:worker_threads')
  let timer
  parentPort.on('message', (ms) => {
    clearTimeout(timer)
    if (ms > 0) timer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), ms)
  })
  parentPort.postMessage('ready')
`

function say(message: ProcessMessage): void {
  if (process.connected) process.send?.(message)
}

async function carryOut({ file, copy, durationMs, terms, steps }: ProcessOrder, dog: Worker): Promise<void> {
  let session: ReturnType<typeof openStepSession> | undefined
  let [tried] = steps
  try {
    session = openStepSession(file)
    session.connection.pragma(`hard_heap_limit = ${migrationLimits.heapBytesMax}`)
    if (copy !== undefined) {
      const begins = (step: MigrationStep): void => {
        tried = step
        say({ kind: 'begun', version: step.version })
        dog.postMessage(durationMs)
      }
      rehearse({ file, copy, terms, steps, durationMs, begins })
      dog.postMessage(0)
    }
    for (const step of steps) {
      // Nobody is there any more to hear what happens.
      if (!process.connected) return
      tried = step
      say({ kind: 'begun', version: step.version })
      const result = runStep(session, terms, step, () => dog.postMessage(durationMs))
      dog.postMessage(0)
      say({ kind: 'done', result })
      if (result.durationMs >= migrationLimits.pauseAfterMs) await sleep(migrationLimits.pauseMs)
    }
    say({ kind: 'finished' })
  } catch (error) {
    dog.postMessage(0)
    say({ kind: 'failed', version: tried?.version ?? 0, reason: describeFailure(error) })
  } finally {
    session?.connection.close()
  }
}

const dog = new Worker(watchdog, { eval: true })
dog.once('message', () => say({ kind: 'ready' }))
process.once('disconnect', () => void dog.terminate())
process.once('message', (order: ProcessOrder) => {
  void carryOut(order, dog).finally(async () => {
    await dog.terminate()
    if (process.connected) process.disconnect()
  })
})
