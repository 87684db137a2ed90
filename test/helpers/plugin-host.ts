import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import type { ApprovalBinding } from '../../src/plugins/approvals.js'
import { createPluginManager, type PluginManager } from '../../src/plugins/manager.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { FakeSandbox } from './fake-sandbox.js'
import { testMigrator } from './migrator.js'

export const testSettings: GenerationSettings = {
  vms: 4,
  reservedVms: 1,
  memoryBytesMax: 32 * 1024 * 1024,
  instructionsMax: 1_000_000,
  timeoutMs: 5000,
  operationsMax: 1000,
  storageBytesMax: 1024 * 1024,
  extra: {},
}

/** A plugin directory and a database file that outlive the managers which a test starts on them. */
export interface PluginWorld {
  readonly directory: string
  readonly database: CoreDatabase
  /** Lines of the log: level and message. */
  readonly log: string[]
  /** Writes files of a folder: path inside the plugin directory and text. */
  write(path: string, text: string): Promise<void>
  remove(folder: string): Promise<void>
  /** Starts a manager with a fresh sandbox; it is closed when the test ends. */
  start(binding?: ApprovalBinding): Promise<{ manager: PluginManager; sandbox: FakeSandbox }>
  /** As `start`, before `manager.start()`. */
  create(binding?: ApprovalBinding): { manager: PluginManager; sandbox: FakeSandbox }
}

/** Creates a world in a temporary folder that goes with the test. */
export async function createPluginWorld(test: TestContext): Promise<PluginWorld> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-plugins-'))
  const directory = join(root, 'plugins')
  const file = join(root, 'modula.db')
  await mkdir(directory)
  const database = await createDatabase({ file })
  const managers: PluginManager[] = []
  const log: string[] = []
  const note = (level: string) => (_fields: object, message: string) => void log.push(`${level} ${message}`)
  test.after(async () => {
    for (const manager of managers) await manager.close()
    await database.close()
    await rm(root, { recursive: true, force: true })
  })
  const create = (approvalBinding: ApprovalBinding = 'version') => {
    const sandbox = new FakeSandbox()
    const manager = createPluginManager({
      directory,
      settings: testSettings,
      approvalBinding,
      breaker: { failuresMax: 5, resetMs: 60_000 },
      database,
      sandbox,
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      migrator: testMigrator(database, file),
    })
    managers.push(manager)
    return { manager, sandbox }
  }
  return {
    directory,
    database,
    log,
    create,
    async write(path, text) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    },
    remove: (folder) => rm(join(directory, folder), { recursive: true, force: true }),
    async start(binding) {
      const started = create(binding)
      await started.manager.start()
      return started
    },
  }
}
