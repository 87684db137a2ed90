import type { HookWorld } from './hook-world.js'
import { until } from './until.js'

/** One after-hook, as plugins of tests register it. */
export const articlesHook = [['after_create', 'articles']] as const

/** All stored deliveries, the oldest first. */
export const rowsOf = ({ database }: HookWorld) =>
  database.kysely.selectFrom('hook_deliveries').selectAll().orderBy('id').execute()

/** How many deliveries of a plugin wait and how many are dead; undefined when none was ever stored. */
export const backlogOf = async ({ database }: HookWorld, plugin: string) => {
  const query = database.kysely.selectFrom('hook_backlogs').select(['waiting', 'dead'])
  const row = await query.where('plugin', '=', plugin).executeTakeFirst()
  return row === undefined ? undefined : [row.waiting, row.dead]
}

/** All stored payloads. */
export const payloadsOf = ({ database }: HookWorld) =>
  database.kysely.selectFrom('hook_payloads').selectAll().execute()

/** Resolves when nothing of a plugin waits. */
export const settled = (world: HookWorld, plugin: string) =>
  until('nothing is owed', async () => (await backlogOf(world, plugin))?.[0] === 0)
