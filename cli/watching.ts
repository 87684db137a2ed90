import { testLimits } from '../src/base/limits.js'
import { watchFolder } from '../src/plugins/folder-watch.js'

/**
 * Calls back whenever Lua files of a folder have changed, one call at a time; a change during a call leads to one
 * more. Resolves when the process is interrupted and the last call has ended.
 */
export async function watchUntilInterrupted(folder: string, changed: () => Promise<void>): Promise<void> {
  let running: Promise<void> | undefined
  let again = false
  let fail: (error: unknown) => void = () => undefined
  const run = async (): Promise<void> => {
    do {
      again = false
      await changed()
    } while (again)
  }
  const watcher = await watchFolder(folder, {
    settleMs: testLimits.watchSettleMs,
    changed: () => {
      again = true
      running ??= run()
        .catch((error: unknown) => fail(error))
        .finally(() => {
          running = undefined
        })
    },
  })
  try {
    await interrupted((reject) => {
      fail = reject
    })
  } finally {
    await watcher.close()
    again = false
    await running
  }
}

function interrupted(onFailure: (reject: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    onFailure(reject)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
