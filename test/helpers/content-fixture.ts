import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Transaction } from 'kysely'
import { type ContentService, createContent } from '../../src/content/content-service.js'
import type {
  HookContext,
  HookedRead,
  HookedWrite,
  HookRow,
  HookRunner,
  ReadVerdict,
} from '../../src/content/hook-runner.js'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import type { CoreTables } from '../../src/database/tables.js'

/** A hook runner whose hooks a test writes in TypeScript; it notes all that it is told. */
export class ScriptedHooks implements HookRunner {
  /** `before create content_data`, `queued ...`, `committed`, in the order in which they came. */
  readonly notes: string[] = []
  readonly writes: { readonly write: HookedWrite; readonly context: HookContext }[] = []
  /** Runs as the before-hook of every write. */
  onBefore: (write: HookedWrite, context: HookContext) => HookRow | Promise<HookRow> = ({ row }) => row
  onEnqueue: (write: HookedWrite) => void = () => undefined
  onRead: (read: HookedRead) => ReadVerdict = () => ({ answer: undefined, state: {} })
  onAfterRead: (read: HookedRead, state: HookRow) => Readonly<Record<string, string>> = () => ({})

  async before(write: HookedWrite, context: HookContext): Promise<HookRow> {
    this.notes.push(`before ${write.event} ${write.table}`)
    return this.onBefore(write, context)
  }

  async enqueue(
    _transaction: Transaction<CoreTables>,
    write: HookedWrite,
    context: HookContext,
  ): Promise<void> {
    this.onEnqueue(write)
    this.notes.push(`queued ${write.event} ${write.table}`)
    this.writes.push({ write, context })
  }

  committed(): void {
    this.notes.push('committed')
  }

  async beforeRead(read: HookedRead): Promise<ReadVerdict> {
    return this.onRead(read)
  }

  async afterRead(read: HookedRead, state: HookRow): Promise<Readonly<Record<string, string>>> {
    return this.onAfterRead(read, state)
  }
}

export const testContext: HookContext = { requestId: 'req-1', actor: 'ann', depth: 0 }

/** A schema with one required member. */
export const articleSchema = {
  type: 'object',
  properties: { body: { type: 'string', maxLength: 100_000 }, stars: { type: 'integer', minimum: 0 } },
  required: ['body'],
  additionalProperties: false,
}

export interface ContentFixture {
  readonly database: CoreDatabase
  readonly content: ContentService
  readonly hooks: ScriptedHooks
  /** Adds an entry of the datatype `article`. */
  entry(slug: string, more?: Readonly<Record<string, unknown>>): Promise<HookRow>
  /** Change events in their order, as `event table`. */
  events(): Promise<readonly string[]>
}

/** Creates the content of a new database with the datatype `article`; it goes with the test. */
export async function createContentFixture(test: TestContext): Promise<ContentFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-content-'))
  const database = await createDatabase({ file: join(folder, 'test.db') })
  test.after(async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const hooks = new ScriptedHooks()
  const content = createContent({ database, hooks })
  await content.writer.create('datatypes', { name: 'article', schema: articleSchema }, testContext)
  hooks.notes.length = 0
  hooks.writes.length = 0
  return {
    database,
    content,
    hooks,
    entry: (slug, more = {}) =>
      content.writer.create(
        'content_data',
        { datatype: 'article', slug, title: `Title of ${slug}`, fields: { body: 'text' }, ...more },
        testContext,
      ),
    async events() {
      const rows = await database.kysely
        .selectFrom('change_events')
        .select(['event', 'table_name'])
        .orderBy('id')
        .execute()
      return rows.map(({ event, table_name }) => `${event} ${table_name}`)
    },
  }
}
