import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ContentService, createContent } from '../../src/content/content-service.js'
import { createDatabase } from '../../src/database/database.js'
import { createCoreCalls } from '../../src/plugins/core-calls.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'
import type { CallOutcome, CallRequest, Generation } from '../../src/sandbox/generation.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { createSandbox } from '../../src/sandbox/thread-sandbox.js'
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

/** Starts a sandbox over new content with the datatype `article`; it goes with the test. */
export async function createCoreFixture(test: TestContext): Promise<CoreFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-core-'))
  const file = join(folder, 'test.db')
  const database = await createDatabase({ file })
  const hooks = new ScriptedHooks()
  const content = createContent({ database, hooks })
  await content.writer.create('datatypes', { name: 'article', schema: articleSchema }, testContext)
  let grants = GrantTable.create([])
  const calls = createCoreCalls({ directory: { grantsOf: () => grants }, content })
  const sandbox = createSandbox({
    entry: new URL('../../src/executor.bundle.cjs', import.meta.url),
    composition: { databaseFile: file },
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
