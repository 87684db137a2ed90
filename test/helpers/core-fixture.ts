import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { type ContentService, createContent } from '../../src/content/content-service.js'
import { createDatabase } from '../../src/database/database.js'
import { ReusedSandbox } from '../../src/harness/reused-sandbox.js'
import { createCoreCalls } from '../../src/plugins/core-calls.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'
import type { CallOutcome, CallRequest, Generation } from '../../src/sandbox/generation.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { articleSchema, ScriptedHooks, testContext } from './content-fixture.js'
import { roomySettings } from './vm-fixture.js'

/** Content, and plugins in real threads whose approvals a test sets. */
export interface CoreFixture {
  readonly content: ContentService
  readonly hooks: ScriptedHooks
  /** Approves exactly these keys for every plugin. */
  approve(...keys: string[]): void
  /** Runs Lua statements in a plugin of their own; gives the error that they raise, undefined when they end well. */
  lua(
    body: string,
    options?: { readonly phase?: Phase; readonly requestId?: string; readonly operationsMax?: number },
  ): Promise<string | undefined>
  /** Runs Lua statements that must end well. */
  ok(body: string): Promise<void>
}

/**
 * One executor thread for all tests of a file, which starts for the first of them; the function that comes back gives
 * a test new content with the datatype `article`, which goes with the test.
 */
export function useCoreFixtures(): (test: TestContext) => Promise<CoreFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-core-link-'))
  const link = join(folder, 'present.db')
  const thread = new ReusedSandbox({ composition: { databaseFile: link }, coverage: false })
  after(async () => {
    await thread.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return (test) => createCoreFixture(test, thread, link)
}

/** @param link Where the thread looks for its database. */
async function createCoreFixture(
  test: TestContext,
  thread: ReusedSandbox,
  link: string,
): Promise<CoreFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-core-'))
  const file = join(folder, 'test.db')
  const database = await createDatabase({ file })
  const hooks = new ScriptedHooks()
  const content = createContent({ database, hooks })
  await content.writer.create('datatypes', { name: 'article', schema: articleSchema }, testContext)
  let grants = GrantTable.create([])
  const calls = createCoreCalls({ directory: { grantsOf: () => grants }, content })
  rmSync(link, { force: true })
  symlinkSync(file, link)
  const sandbox = thread.lease({
    entry: new URL('../../src/executor.bundle.cjs', import.meta.url),
    composition: undefined,
    executors: 1,
    answer: async (ask) => calls.get(ask.topic)?.(ask),
  })
  test.after(async () => {
    await sandbox.close()
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let plugins = 0
  const lua: CoreFixture['lua'] = async (
    body,
    { phase = 'init', requestId = 'req-9', operationsMax } = {},
  ) => {
    plugins += 1
    const files = new Map([['init.lua', `function run()\n${body}\nend`]])
    const plugin = `tester${plugins}`
    const generation = await sandbox.createGeneration(plugin, '1', { folder: plugin, files }, roomySettings)
    try {
      const outcome = await calledWhenBuilt(generation, {
        kind: 'lifecycle',
        phase,
        payload: 'run',
        body: '',
        requestId,
        ...(operationsMax === undefined ? {} : { operationsMax }),
      })
      return outcome.ok ? undefined : outcome.message
    } finally {
      await generation.close()
    }
  }
  return {
    content,
    hooks,
    lua,
    approve(...keys) {
      grants = GrantTable.create(
        keys.map((key) => ({ kind: 'core', key, description: '', approved: true }) as const),
      )
    },
    ok: async (body) => assert.equal(await lua(body), undefined),
  }
}

/** A machine with much to do may have no VM in time; such a call has had no effect. */
async function calledWhenBuilt(generation: Generation, request: CallRequest): Promise<CallOutcome> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await generation.call(request)
    if (outcome.ok || outcome.code !== 'POOL_EXHAUSTED' || tries === 50) return outcome
  }
}
