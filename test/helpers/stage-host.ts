import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Fastify from 'fastify'
import { createDatabase } from '../../src/database/database.js'
import { Pipeline } from '../../src/gateway/pipeline.js'
import { createPluginManager, type PluginManager } from '../../src/plugins/manager.js'
import { createStageEngine, type StageEngine } from '../../src/plugins/stages/stage-engine.js'
import { createSandbox } from '../../src/sandbox/thread-sandbox.js'
import { testMigrator } from './migrator.js'
import { testSettings } from './plugin-host.js'

/** Plugins in real threads whose stages stand in front of a real server. */
export interface StageHost {
  readonly engine: StageEngine
  readonly manager: PluginManager
  readonly pipeline: Pipeline
  readonly url: string
  /** Level, message, fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
  readonly reports: [string, unknown][]
  /** Method and URL of every request that came to a route. */
  readonly routed: string[]
  /** Writes another init.lua for a plugin. */
  write(plugin: string, text: string): Promise<void>
}

export interface StageHostOptions {
  readonly isApproved?: (plugin: string, key: string) => boolean
  readonly resetMs?: number
  /** Time of stages that name none; for those that must not be late on a busy machine. */
  readonly timeoutMs?: number
}

/**
 * Starts plugins and a server whose routes say what came to them: `/echo/*` answers with method, URL and headers,
 * `/api/v1/admin/*` is the administration. Everything goes with the test.
 *
 * @param plugins Text of each init.lua by the name of its folder.
 */
export async function createStageHost(
  test: TestContext,
  plugins: Readonly<Record<string, string>>,
  options: StageHostOptions = {},
): Promise<StageHost> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-stage-host-'))
  const directory = join(root, 'plugins')
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'init.lua'), text)
  }
  for (const [name, text] of Object.entries(plugins)) {
    const info = `plugin_info = { name = "${name}", version = "1.0.0", description = "a stage" }`
    await write(name, `${info}\n${text}`)
  }
  const databaseFile = join(root, 'modula.db')
  const database = await createDatabase({ file: databaseFile })
  const lines: StageHost['lines'] = []
  const reports: StageHost['reports'] = []
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, message, fields])
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
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
    settings: { ...testSettings, instructionsMax: 100_000_000_000 },
    approvalBinding: 'version',
    breaker: { failuresMax: 5, resetMs: 60_000 },
    database,
    sandbox,
    log,
    migrator: testMigrator(database, databaseFile),
  })
  const engine = createStageEngine({
    directory: manager,
    log,
    isApproved: ({ name }, key) => options.isApproved?.(name, key) ?? true,
    untouched: ['/api/v1/admin'],
    breaker: { failuresMax: 3, resetMs: options.resetMs ?? 60_000 },
    // What is asked of most stages is what they do, on a machine that may have little time for them.
    timeoutMs: options.timeoutMs ?? 5000,
  })
  const pipeline = new Pipeline({
    stages: [],
    pluginStages: engine.stages,
    log,
    clientIp: () => '192.0.2.7',
    authenticate: (request) =>
      request.headers.authorization === 'Bearer good'
        ? { id: 'u1', username: 'ann', role: 'editor' }
        : undefined,
  })
  const app = Fastify({ forceCloseConnections: true })
  pipeline.install(app)
  const routed: string[] = []
  app.all('/echo/*', async ({ method, raw, headers }, reply) => {
    routed.push(`${method} ${raw.url}`)
    reply.header('set-cookie', 'modulacms_session=secret').header('etag', '"1"')
    return { method, url: raw.url, headers }
  })
  app.all('/api/v1/admin/*', async ({ method, raw }) => {
    routed.push(`${method} ${raw.url}`)
    return { admin: true }
  })
  test.after(async () => {
    await app.close()
    engine.close()
    await manager.close()
    await sandbox.close()
    await database.close()
    await rm(root, { recursive: true, force: true })
  })
  await sandbox.ready()
  await manager.start()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { engine, manager, pipeline, url, lines, reports, routed, write }
}
