import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { PluginManager } from '../../../../src/plugins/manager.js'
import { fakeInit } from '../../../helpers/fake-sandbox.js'
import { createPluginWorld, type PluginWorld } from '../../../helpers/plugin-host.js'

type Step =
  | { readonly kind: 'edit'; readonly version: string; readonly domains: readonly string[] }
  | { readonly kind: 'approve' | 'revoke'; readonly domain: string }
  | { readonly kind: 'reload' | 'restart' }

const domain = fc.constantFrom('a.example', 'b.example', 'c.example')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('edit' as const),
    version: fc.constantFrom('1', '2'),
    domains: fc.uniqueArray(domain),
  }),
  fc.record({ kind: fc.constantFrom('approve' as const, 'revoke' as const), domain }),
  fc.record({ kind: fc.constantFrom('reload' as const, 'restart' as const) }),
)

/** Who decided what: the source that was looked at, by domain. */
type Decisions = Map<string, Set<string>>

async function decide(manager: PluginManager, decisions: Decisions, key: string): Promise<void> {
  const contentHash = (await manager.diff('a'))?.content_hash ?? ''
  // Noted before it is known to succeed: what is approved must at least have been asked for.
  decisions.set(key, (decisions.get(key) ?? new Set()).add(contentHash))
  await manager.approveGrants([{ plugin: 'a', kind: 'domain', key, contentHash }], 'ann')
}

/** Every approval, stored and in use, is one that somebody gave for that very source, and both agree. */
async function assertDecided(
  world: PluginWorld,
  manager: PluginManager,
  decisions: Decisions,
): Promise<void> {
  const rows = await world.database.kysely.selectFrom('plugin_grants').selectAll().execute()
  const stored = rows.filter(({ approved }) => approved === 1)
  for (const { key, content_hash, plugin_version } of stored) {
    assert.ok(decisions.get(key)?.has(content_hash), `${key} was never approved for this source`)
    assert.equal(plugin_version, manager.get('a')?.version)
    assert.equal(content_hash, manager.get('a')?.content_hash)
  }
  const served = manager.asked.requests().filter(({ approved }) => approved)
  assert.deepEqual(served.map((one) => one.domain).sort(), stored.map(({ key }) => key).sort())
}

it('grants only what somebody approved for that source, through edits, reloads and restarts at the same time', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
      async (rounds) => {
        const world = await createPluginWorld(t)
        const write = (version: string, domains: readonly string[]) =>
          world.write('a/init.lua', fakeInit('a', { domains, onInit: '' }, version))
        await write('1', ['a.example', 'b.example'])
        let { manager } = await world.start('content')
        const decisions: Decisions = new Map()
        let edited: Promise<void> = Promise.resolve()
        // Two at once would leave a file of both.
        const edit = ({ version, domains }: Extract<Step, { kind: 'edit' }>): Promise<void> => {
          edited = edited.then(() => write(version, domains))
          return edited
        }
        const take = async (one: Step): Promise<void> => {
          if (one.kind === 'edit') await edit(one)
          else if (one.kind === 'approve') await decide(manager, decisions, one.domain)
          else if (one.kind === 'revoke') {
            await manager.revokeGrants([{ plugin: 'a', kind: 'domain', key: one.domain }], 'ann')
          } else if (one.kind === 'reload') await manager.reload('a', 'ann').catch(() => undefined)
        }
        for (const round of rounds) {
          await Promise.all(round.map(take))
          if (round.some(({ kind }) => kind === 'restart')) {
            await manager.close()
            manager = (await world.start('content')).manager
          }
          await assertDecided(world, manager, decisions)
        }
        await manager.close()
      },
    ),
    { numRuns: 15 },
  )
})
