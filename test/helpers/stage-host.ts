import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { createDatabase } from '../../src/database/database.js'
import { Pipeline } from '../../src/gateway/pipeline.js'
import { createPluginManager, type PluginManager } from '../../src/plugins/manager.js'
import { createStageEngine, type StageEngine } from '../../src/plugins/stages/stage-engine.js'
import { createSandbox } from '../../src/sandbox/thread-sandbox.js'
/** Plugins in real threads whose stages stand in front of a real server. */
import { userWithRole } from './area-user.js'
import { testMigrator } from './migrator.js'
import { testSettings } from './plugin-host.js'

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
}

interface OpenStageHost extends StageHost {
  isApproved: (plugin: string, key: string) => boolean
  dispose(): Promise<void>
}

/**
 * One sandbox and one server for all tests of a file, whose routes say what came to them: `/echo/*` answers with
 * method, URL and headers, `/api/v1/admin/*` is the administration.
 *
 * @param options `timeoutMs`: time of stages that name none; most must not be late on a busy machine.
 * @returns Starts plugins for one test, from the text of each init.lua by the name of its folder; they are stopped
 * with the test. What was noted before is forgotten.
 */
export function useStageHost({
  timeoutMs = 5000,
}: {
  readonly timeoutMs?: number
} = {}): (
  test: TestContext,
  plugins: Readonly<Record<string, string>>,
  options?: StageHostOptions,
) => Promise<StageHost> {
  let host: OpenStageHost | undefined
  before(async () => {
    host = await openStageHost(timeoutMs)
  })
  after(() => host?.dispose())
  return async (test, plugins, { isApproved = () => true } = {}) => {
    assert.ok(host, 'the host is up only while tests run')
    const { manager, write } = host
    host.isApproved = isApproved
    for (const noted of [host.lines, host.reports, host.routed]) noted.length = 0
    for (const [name, text] of Object.entries(plugins)) {
      await write(
        name,
        `plugin_info = { name = "${name}", version = "1.0.0", description = "a stage" }\n${text}`,
      )
      test.after(() => manager.disable(name, 'test'))
      await manager.enable(name, 'test')
    }
    return host
  }
}

async function openStageHost(timeoutMs: number): Promise<OpenStageHost> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-stage-host-'))
  const directory = join(root, 'plugins')
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'init.lua'), text)
  }
  await mkdir(directory)
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
    isApproved: ({ name }, key) => host.isApproved(name, key),
    untouched: ['/api/v1/admin'],
    breaker: { failuresMax: 3, resetMs: 60_000 },
    timeoutMs,
  })
  const pipeline = new Pipeline({
    stages: [],
    pluginStages: engine.stages,
    log,
    clientIp: () => '192.0.2.7',
    userOf: (request) =>
      request.headers.authorization === 'Bearer good' ? userWithRole('editor', 'ann', 'u1') : undefined,
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
  const host: OpenStageHost = {
    engine,
    manager,
    pipeline,
    url: '',
    lines,
    reports,
    routed,
    write,
    isApproved: () => true,
    async dispose() {
      await app.close()
      engine.close()
      await manager.close()
      await sandbox.close()
      await database.close()
      await rm(root, { recursive: true, force: true })
    },
  }
  await sandbox.ready()
  await manager.start()
  return Object.assign(host, { url: await app.listen({ host: '127.0.0.1', port: 0 }) })
}
