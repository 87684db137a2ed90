import { sql } from 'kysely'
import { tickFunction } from './compile-filter.js'
import type { DbSession } from './session.js'

interface CascadingKey {
  readonly child: string
  readonly action: string
}

/**
 * Makes cascades of this plugin's foreign keys look at the deadline. A delete visits the rows of child tables
 * outside its own WHERE, so temporary triggers of this connection do it there.
 */
export function guardCascades(session: DbSession, plugin: string): void {
  const version = session.connection.pragma('schema_version', { simple: true }) as number
  if (session.guarded.get(plugin) === version) return
  for (const { child, action } of cascadingKeys(session, plugin)) {
    const event = action === 'CASCADE' ? sql`delete` : sql`update`
    const name = `${child}__guard_${action === 'CASCADE' ? 'delete' : 'update'}`
    const trigger = sql`create temp trigger if not exists ${sql.id(name)} after ${event} on main.${sql.id(child)}
      begin select ${sql.raw(tickFunction)}(old.${sql.id('id')}); end`
    session.connection.exec(trigger.compile(session.compiler).sql)
  }
  session.guarded.set(plugin, version)
}

function cascadingKeys(session: DbSession, plugin: string): readonly CascadingKey[] {
  return session
    .host(
      `select distinct t.table_name as child, k.on_delete as action
         from plugin_tables t join pragma_foreign_key_list(t.table_name) k
        where t.plugin_name = ? and k.on_delete in ('CASCADE', 'SET NULL')`,
    )
    .all(plugin) as CascadingKey[]
}
