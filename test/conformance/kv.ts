import { after, before, describe, it } from 'node:test'
import type { OpenedKv, RunCase } from './kv-case.js'
import { commitCases } from './kv-commits.js'
import { entryCases } from './kv-entries.js'
import { listCases } from './kv-lists.js'
import { queueCases } from './kv-queues.js'
import { searchCases } from './kv-search.js'
import { watchCases } from './kv-watches.js'

/**
 * What every implementation of `Kv` does, whichever way it reaches its store.
 *
 * @param open Opens a store once for the whole suite, with namespaces that nothing else writes to.
 */
export function kvConformance(name: string, open: () => Promise<OpenedKv>): void {
  describe(`key-value store: ${name}`, () => {
    let opened: OpenedKv | undefined
    before(async () => {
      opened = await open()
    })
    after(() => opened?.close())
    let count = 0
    const run: RunCase = (title, work) => {
      count += 1
      const namespace = `shared:case-${count}`
      it(title, async () => {
        if (opened === undefined) throw new Error('the store did not open')
        await work(opened.namespaces.namespace(namespace), opened)
      })
    }
    entryCases(run)
    commitCases(run)
    listCases(run)
    watchCases(run)
    queueCases(run)
    searchCases(run)
  })
}
