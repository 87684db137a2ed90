import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createDatabase } from '../../src/database/database.js'
import { createHookEngine, type HookEngine } from '../../src/plugins/hooks/hook-engine.js'
import { createPluginManager, type PluginManager } from '../../src/plugins/manager.js'
import { createSandbox } from '../../src/sandbox/thread-sandbox.js'
import { testHookLimits } from './hook-world.js'
import { testMigrator } from './migrator.js'
import { testSettings } from './plugin-host.js'

/** Plugins in real threads, with the engine that runs their hooks. */
export interface HookHost {
  readonly engine: HookEngine
  readonly manager: PluginManager
  /** Level, message, fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
  /** What plugins reported, e.g. headers that were left out. */
  readonly reports: [string, unknown][]
}

/**
 * Starts plugins whose hooks are all approved; everything goes with the test.
 *
 * @param plugins Text of each init.lua by the name of its folder.
 */
export async function createHookHost(
  test: TestContext,
  plugins: Readonly<Record<string, string>>,
): Promise<HookHost> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-hook-host-'))
  const directory = join(root, 'plugins')
  for (const [name, text] of Object.entries(plugins)) {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'init.lua'), text)
  }
  const databaseFile = join(root, 'modula.db')
  const database = await createDatabase({ file: databaseFile })
  const lines: HookHost['lines'] = []
  const reports: HookHost['reports'] = []
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, message, fields])
  const log = { info: note('info'), warn: note('warn'), error: note('error') }
  const sandbox = createSandbox({
    entry: new URL('../../src/executor.bundle.cjs', import.meta.url),
    composition: { databaseFile },
    executors: 1,
    softLimits: true,
    answer: async () => undefined,
    report: ({ kind, data }) => void reports.push([kind, data]),
  })
  const manager = createPluginManager({
    directory,
    settings: { ...testSettings, instructionsMax: 100_000_000 },
    approvalBinding: 'version',
    breaker: { failuresMax: 5, resetMs: 60_000 },
    database,
    sandbox,
    log,
    migrator: testMigrator(database, databaseFile),
  })
  const engine = createHookEngine({
    directory: manager,
    database,
    limits: testHookLimits,
    log,
    isApproved: () => true,
  })
  test.after(async () => {
    await engine.close()
    await manager.close()
    await sandbox.close()
    await database.close()
    await rm(root, { recursive: true, force: true })
  })
  await sandbox.ready()
  await manager.start()
  engine.start()
  return { engine, manager, lines, reports }
}
