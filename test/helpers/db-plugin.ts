import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { createDbCapability } from '../../src/capabilities/db/capability.js'
import { createSessionLookup } from '../../src/capabilities/db/session.js'
import type { Call } from '../../src/capabilities/define.js'
import { createDatabase } from '../../src/database/database.js'
import { createExecutorDatabase } from '../../src/database/executor-database.js'
import { LuaRaise, type LuaValue, Results, Rows } from '../../src/sandbox/lua-value.js'

const dbCapability = createDbCapability(createSessionLookup())

/** A database with the core tables in a folder of its own, and plugins that call the `db` module on it. */
export interface DbFixture {
  readonly connection: Database
  readonly file: string
  plugin(name: string, options?: PluginOptions): DbPlugin
  close(): Promise<void>
}

export interface PluginOptions {
  readonly storageBytesMax?: number
  readonly operationsMax?: number
  readonly generation?: number
  /** Time left to each call; a minute when missing. */
  readonly timeMs?: number
}

/** What a function gave: its value, or why it failed. */
export interface Outcome {
  readonly value: unknown
  readonly error: string | undefined
}

export interface DbPlugin {
  readonly call: Call
  readonly reports: { readonly kind: string; readonly data: Readonly<Record<string, unknown>> }[]
  readonly holds: (number | undefined)[]
  /** Calls a function of the module; rows come back as objects. */
  db(name: string, ...args: unknown[]): Outcome
  /** The same for calls that must work. */
  ok(name: string, ...args: unknown[]): unknown
  /** The message of a call that must give nil, err. */
  fails(name: string, ...args: unknown[]): string
  /** The message of a call that must raise. */
  raises(name: string, ...args: unknown[]): string
  /** Ends the call, as the sandbox does; the next use starts another. */
  endCall(): void
  operationsUsed(): number
}

export async function createDbFixture(): Promise<DbFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-db-'))
  const file = join(folder, 'test.db')
  const database = await createDatabase({ file })
  const executor = createExecutorDatabase({ file })
  return {
    connection: executor.connection(),
    file,
    plugin: (name, options) => createPlugin(name, executor, options),
    async close() {
      executor.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes what the marshaller makes of Lua tables: objects without a prototype. */
export function lua(value: unknown): LuaValue {
  if (Array.isArray(value)) return value.map(lua)
  if (typeof value !== 'object' || value === null) return value as LuaValue
  if (Object.getPrototypeOf(value) !== Object.prototype) return value as LuaValue
  const object = Object.create(null) as Record<string, LuaValue>
  for (const [key, item] of Object.entries(value)) if (item !== undefined) object[key] = lua(item)
  return object
}

function createPlugin(
  name: string,
  database: ReturnType<typeof createExecutorDatabase>,
  options: PluginOptions = {},
): DbPlugin {
  const { storageBytesMax = 100 * 1024 * 1024, operationsMax = 1_000_000, generation = 1 } = options
  let locals = new Map<string, unknown>()
  let cleanups: (() => void)[] = []
  let used = 0
  const reports: DbPlugin['reports'] = []
  const holds: (number | undefined)[] = []
  const call = {
    owner: { plugin: name, version: '1.0.0', generation },
    phase: 'request',
    requestId: 'test',
    limits: { storageBytesMax },
    budget: {
      charge(operations: number) {
        if (used + operations > operationsMax) throw new LuaRaise('operation limit exceeded')
        used += operations
      },
      get operationsLeft() {
        return operationsMax - used
      },
      get deadlineMs() {
        return performance.now() + (options.timeMs ?? 60_000)
      },
    },
    services: { database, writeLog() {} },
    get locals() {
      return locals
    },
    onEnd: (cleanup: () => void) => void cleanups.push(cleanup),
    holdUntil: (deadlineMs: number | undefined) => void holds.push(deadlineMs),
    report: (kind: string, data: Readonly<Record<string, unknown>>) => void reports.push({ kind, data }),
    register() {},
    registrations: [],
  } as unknown as Call
  const db = (fn: string, ...args: unknown[]): Outcome => {
    const found = dbCapability.functions.find((each) => each.name === fn)
    assert.ok(found, `db.${fn} exists`)
    call.budget.charge(found.cost)
    const result = found.handler(call, ...args.map(lua))
    if (result instanceof Results)
      return { value: result.values[0], error: result.values[1] as string | undefined }
    return { value: plain(result), error: undefined }
  }
  return {
    call,
    reports,
    holds,
    db,
    ok(fn, ...args) {
      const { value, error } = db(fn, ...args)
      assert.equal(error, undefined)
      return value
    },
    fails(fn, ...args) {
      const { value, error } = db(fn, ...args)
      assert.ok(error !== undefined, `db.${fn} must fail, got ${JSON.stringify(value)}`)
      assert.equal(value, undefined)
      return error
    },
    raises(fn, ...args) {
      let message: string | undefined
      try {
        db(fn, ...args)
      } catch (error) {
        assert.ok(error instanceof LuaRaise, String(error))
        message = error.message
      }
      assert.ok(message !== undefined, `db.${fn} must raise`)
      return message
    },
    endCall() {
      const ending = cleanups.reverse()
      cleanups = []
      locals = new Map()
      for (const cleanup of ending) cleanup()
    },
    operationsUsed: () => used,
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Rows) {
    return value.rows.map((row) =>
      Object.fromEntries(
        value.columns.map((column, at) => [column, row[at]] as const).filter(([, item]) => item !== null),
      ),
    )
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null)
    return { ...value }
  return value
}
