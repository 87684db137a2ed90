import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hookLimits } from '../../../../src/base/limits/hooks.js'
import type { HookedWrite } from '../../../../src/content/hook-runner.js'
import type { RecordedAction } from '../../../../src/identity/recorded-action.js'
import { type ActionLoss, ActionRecorder } from '../../../../src/plugins/hooks/action-recorder.js'

const action: RecordedAction = {
  action: 'plugin.reload',
  outcome: 'success',
  actor: { kind: 'user', id: '1', name: 'ann', tenant: 'acme' },
  resource: { type: 'plugin', id: 'shop' },
}

/** A recorder whose database fails for a while. */
function world({ failures = 0, isAwaited = true } = {}) {
  const written: HookedWrite[] = []
  const lost: [ActionLoss, number][] = []
  const lines: string[] = []
  let left = failures
  const note = (_fields: object, message: string) => void lines.push(message)
  const recorder = new ActionRecorder({
    hooks: {
      isAwaited: () => isAwaited,
      enqueue: async (_transaction, write) => void written.push(write),
      committed: () => undefined,
    },
    database: {
      transaction: async (work) => {
        if (left > 0) {
          left -= 1
          throw new Error('the disk is full')
        }
        return work(undefined as never)
      },
    },
    log: { info: note, warn: note, error: note },
    lost: (reason, count) => void lost.push([reason, count]),
    now: () => 0,
  })
  return { recorder, written, lost, lines }
}

describe('ActionRecorder', () => {
  it('writes what was recorded before it is closed', async () => {
    const { recorder, written, lost } = world()
    recorder.record(action)
    recorder.record({ ...action, action: 'plugin.enable' })
    await recorder.close()
    assert.deepEqual(
      written.map(({ row }) => row.action),
      ['plugin.reload', 'plugin.enable'],
    )
    assert.deepEqual(lost, [])
    assert.equal(written[0]?.row.at, '1970-01-01T00:00:00.000Z')
    assert.equal(written[0]?.row.tenant, 'acme')
  })

  it('keeps nothing that nobody waits for', async () => {
    const { recorder, written, lost } = world({ isAwaited: false })
    recorder.record(action)
    await recorder.close()
    assert.deepEqual([written, lost], [[], []])
  })

  it('tries again, and tells of what it cannot write', async () => {
    const once = world({ failures: 1 })
    once.recorder.record(action)
    await once.recorder.close()
    assert.equal(once.written.length, 1)
    const always = world({ failures: 1000 })
    always.recorder.record(action)
    await always.recorder.close()
    assert.deepEqual(always.lost, [['unwritten', 1]])
    assert.deepEqual(always.lines, ['actions could not be recorded'])
    always.recorder.record(action)
    assert.deepEqual(always.lost.at(-1), ['closed', 1])
  })

  it('is bounded, and leaves room for what is no plugin', async () => {
    const { recorder, lost, lines } = world({ failures: 1000 })
    for (let n = 0; n <= hookLimits.pluginActionsWaitingMax; n += 1) recorder.recordOfPlugin(action)
    assert.deepEqual(lost, [['full', 1]])
    recorder.record(action)
    assert.deepEqual(lost, [['full', 1]])
    assert.equal(lines.length, 1, 'one line tells of all')
    void recorder.close()
  })

  it('leaves out details that are too large, and keeps the action', async () => {
    const { recorder, written } = world()
    const circle: Record<string, unknown> = {}
    circle.self = circle
    recorder.record({ ...action, details: { text: 'x'.repeat(40_000) } })
    recorder.record({ ...action, details: circle as never })
    await recorder.close()
    assert.deepEqual(written[0]?.row.details, { left_out: '40011 bytes' })
    assert.match(JSON.stringify(written[1]?.row.details), /left_out.*circular/)
  })
})
