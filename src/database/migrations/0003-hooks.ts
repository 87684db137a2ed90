import { type Kysely, type Migration, sql } from 'kysely'

/** Creates the outbox of after-hooks, and the counts of what waits in it. */
export const createHookDeliveries: Migration = {
  async up(db: Kysely<unknown>) {
    await createDeliveries(db)
    await createPayloads(db)
    await createBacklogs(db)
  },
}

async function createDeliveries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('hook_deliveries')
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('plugin', 'text', (col) => col.notNull())
    .addColumn('event', 'text', (col) => col.notNull())
    .addColumn('hook_table', 'text', (col) => col.notNull())
    .addColumn('ordinal', 'integer', (col) => col.notNull())
    .addColumn('table_name', 'text', (col) => col.notNull())
    .addColumn('payload_id', 'integer', (col) => col.notNull())
    .addColumn('request_id', 'text', (col) => col.notNull())
    .addColumn('depth', 'integer', (col) => col.notNull())
    .addColumn('state', 'text', (col) => col.notNull().defaultTo('pending'))
    .addColumn('attempts', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('due_at', 'integer', (col) => col.notNull())
    .addColumn('error', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addCheckConstraint('hook_deliveries_state', sql`state in ('pending', 'running', 'dead')`)
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('hook_deliveries_by_due')
    .on('hook_deliveries')
    .columns(['plugin', 'state', 'due_at'])
    .execute()
  await db.schema.createIndex('hook_deliveries_by_state').on('hook_deliveries').column('state').execute()
}

/** A large row with many hooks is stored once. */
async function createPayloads(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('hook_payloads')
    .addColumn('id', 'integer', (col) => col.primaryKey().autoIncrement())
    .addColumn('payload', 'text', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('hook_deliveries_by_payload')
    .on('hook_deliveries')
    .column('payload_id')
    .execute()
  await sql`create trigger hook_payloads_done after delete on hook_deliveries
    when not exists (select 1 from hook_deliveries where payload_id = old.payload_id) begin
    delete from hook_payloads where id = old.payload_id;
  end`.execute(db)
}

/** Counting rows would take longer the more there are, and is asked at each write. */
async function createBacklogs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('hook_backlogs')
    .addColumn('plugin', 'text', (col) => col.primaryKey().notNull())
    .addColumn('waiting', 'integer', (col) => col.notNull())
    .addColumn('dead', 'integer', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
  await sql`create trigger hook_deliveries_added after insert on hook_deliveries begin
    insert into hook_backlogs (plugin, waiting, dead)
      values (new.plugin, new.state <> 'dead', new.state = 'dead')
      on conflict (plugin) do update set waiting = waiting + excluded.waiting, dead = dead + excluded.dead;
  end`.execute(db)
  await sql`create trigger hook_deliveries_moved after update of state on hook_deliveries
    when (old.state = 'dead') <> (new.state = 'dead') begin
    update hook_backlogs set
      waiting = waiting + (new.state <> 'dead') - (old.state <> 'dead'),
      dead = dead + (new.state = 'dead') - (old.state = 'dead')
      where plugin = new.plugin;
  end`.execute(db)
  await sql`create trigger hook_deliveries_removed after delete on hook_deliveries begin
    update hook_backlogs set
      waiting = waiting - (old.state <> 'dead'), dead = dead - (old.state = 'dead')
      where plugin = old.plugin;
  end`.execute(db)
}
