import type { Kysely, Migration } from 'kysely'

/** Keeps with each approval of a route what the route asked of its callers when it was given. */
export const addRouteRequirements: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('plugin_routes')
      .addColumn('requires', 'text', (col) => col.notNull().defaultTo(''))
      .execute()
  },
}
