import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { HostError } from '../../src/base/errors.js'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { failureAnswer, type GatewayLog, Pipeline, sendAnswer } from '../../src/gateway/pipeline.js'
import { createShell, type Shell, type ShellOptions } from '../../src/gateway/shell/shell.js'
import { addShellRoutes } from '../../src/gateway/shell/shell-routes.js'
import type { Stage } from '../../src/gateway/stage.js'
import { createHttpClient, type HttpClient } from './http-client.js'

/** Collects what is logged as `level: message fields`. */
export interface LogLines extends GatewayLog {
  readonly lines: readonly string[]
}

/** A shell behind a pipeline in a server, with files of its own; it goes with its test. */
export interface ShellWorld {
  /** Folder of the test, with the shell in `shell`. */
  readonly folder: string
  readonly url: string
  readonly app: FastifyInstance
  readonly client: HttpClient
  readonly shell: Shell
  readonly log: LogLines
}

/** Creates a folder that goes with its test, with these files. */
export function createFolder(test: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-shell-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFiles(folder, files)
  return folder
}

/** Writes files below a folder, with the folders that they need. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** Opens a database in a folder; it is closed with its test. */
export async function openDatabase(test: TestContext, folder: string): Promise<CoreDatabase> {
  const database = await createDatabase({ file: join(folder, 'test.db') })
  test.after(() => database.close())
  return database
}

export function createLogLines(): LogLines {
  const lines: string[] = []
  const write = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push(`${level}: ${message} ${JSON.stringify(fields)}`)
  }
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** A small build, as bundlers make them. */
export const shellFiles = {
  'shell/dist/index.html': '<!doctype html><html><HEAD lang="en"><title>shell</title></HEAD></html>',
  'shell/dist/chunk-abc.js': 'export const chunk = "of the shell"\n',
  'shell/dist/assets/main.js': 'export const main = "of the shell"\n',
  'shell/dist/.env': 'SECRET=1\n',
  'shell/dist/.git/config': 'secret\n',
  'shell/package.json': '{"private":true}\n',
} as const

/** What a world has beside the defaults. */
export interface ShellWorldOptions extends Partial<Omit<ShellOptions, 'database' | 'log'>> {
  readonly files?: Readonly<Record<string, string | Buffer>>
  readonly stages?: readonly Stage[]
  readonly routes?: (app: FastifyInstance) => void
}

/** Starts a server on a free port: the shell, the given routes, and those of the shell below `/gateway/api`. */
export async function startShell(test: TestContext, options: ShellWorldOptions = {}): Promise<ShellWorld> {
  const { files = shellFiles, stages = [], routes, ...given } = options
  const folder = createFolder(test, files)
  const database = await openDatabase(test, folder)
  const log = createLogLines()
  const shell = await createShell({
    hosts: [],
    envExcludes: '',
    apiPrefixes: ['/api', '/gateway/api'],
    ...given,
    dir: given.dir ?? join(folder, 'shell'),
    database,
    log,
  })
  const app = Fastify({ forceCloseConnections: true })
  const services = { clientIp: () => '192.0.2.1', userOf: () => undefined }
  new Pipeline({ ...services, stages: [...shell.stages, ...stages], log }).install(app)
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing here'))
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const failure =
      error instanceof HostError ? error : new HostError('OTHER', error.statusCode ?? 500, error.message)
    sendAnswer(reply, failureAnswer(failure))
  })
  routes?.(app)
  await app.register(async (scope) => addShellRoutes(scope, shell, () => 'ada'), { prefix: '/gateway/api' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = createHttpClient(url)
  test.after(async () => {
    client.close()
    await app.close()
  })
  return { folder, url, app, client, shell, log }
}
