import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { HostError } from '../../src/base/errors.js'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { KeyStore } from '../../src/identity/key-store.js'
import { RoleStore } from '../../src/identity/role-store.js'
import type { RolePermissions } from '../../src/identity/roles.js'
import { SessionStore } from '../../src/identity/session-store.js'
import { UserStore } from '../../src/identity/user-store.js'

export const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

/** The stores of one host on one file. */
export interface IdentityFixture {
  readonly file: string
  readonly database: CoreDatabase
  readonly users: UserStore
  readonly roles: RoleStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  /** What could not be noted. */
  readonly failures: unknown[]
  /** What all stores take for the time; moves when a test says so. */
  readonly time: { now: number }
}

/** What a test changes. */
export interface IdentityFixtureOptions {
  /** A file that another fixture has made; one of its own when missing. */
  readonly file?: string
  readonly configured?: RolePermissions
  readonly perUserMax?: number
}

/** Opens a database that goes with the test; sessions live for a day, and for 30 when they are used. */
export async function createIdentityFixture(
  test: TestContext,
  options: IdentityFixtureOptions = {},
): Promise<IdentityFixture> {
  const folder = options.file === undefined ? mkdtempSync(join(tmpdir(), 'modulacms-identity-')) : undefined
  const file = options.file ?? join(String(folder), 'test.db')
  const database = await createDatabase({ file })
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => time.now
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const sessions = new SessionStore(database, {
    ttlMs: dayMs,
    maxAgeMs: 30 * dayMs,
    ...(options.perUserMax === undefined ? {} : { perUserMax: options.perUserMax }),
    clock,
    onFailure,
  })
  const keys = new KeyStore(database, { clock, onFailure })
  test.after(async () => {
    await sessions.close()
    await keys.close()
    await database.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  const users = new UserStore(database, clock)
  const roles = new RoleStore(database, options.configured, clock)
  return { file, database, users, roles, keys, sessions, failures, time }
}

/** Asserts that something fails with a code, and gives its text. */
export async function failsWith(code: string, work: () => unknown): Promise<string> {
  let message = ''
  await assert.rejects(
    async () => work(),
    (error: unknown) => {
      assert.ok(error instanceof HostError, String(error))
      assert.equal(error.code, code, error.message)
      message = error.message
      return true
    },
  )
  assert.doesNotMatch(message, /\{\w+\}/, 'a value is missing in the text')
  return message
}
