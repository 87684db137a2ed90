import { testLimits } from '../src/base/limits/harness.js'
import { watchFolder } from '../src/plugins/folder-watch.js'

/**
 * Calls back at once, and whenever Lua files of a folder have changed; one call at a time, and a change during a call
 * leads to one more. Resolves when the process is interrupted and the last call has ended.
 */
export async function watchUntilInterrupted(folder: string, changed: () => Promise<void>): Promise<void> {
  const interruption = nextInterruption()
  let wake: () => void = () => undefined
  let isDue = true
  const watcher = await watchFolder(folder, {
    settleMs: testLimits.watchSettleMs,
    changed: () => {
      isDue = true
      wake()
    },
  })
  try {
    while (!interruption.hasCome) {
      if (isDue) {
        isDue = false
        await changed()
      } else {
        await Promise.race([
          interruption.come,
          new Promise<void>((resolve) => {
            wake = resolve
          }),
        ])
      }
    }
  } finally {
    await watcher.close()
  }
}

interface Interruption {
  readonly hasCome: boolean
  readonly come: Promise<void>
}

function nextInterruption(): Interruption {
  let hasCome = false
  const come = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        hasCome = true
        resolve()
      })
    }
  })
  return {
    come,
    get hasCome() {
      return hasCome
    },
  }
}
