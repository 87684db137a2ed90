import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { createMonitor, type Monitor } from '../../src/gateway/monitor/monitor.js'
import type { GatewayViews } from '../../src/gateway/monitor/views.js'
import { Pipeline } from '../../src/gateway/pipeline.js'
import type { RoutesPart } from '../../src/gateway/routes/admin-area.js'
import { createGatewayRoutes, gatewayArea, gatewayPrefixes } from '../../src/gateway/routes/gateway-routes.js'
import type { Stage } from '../../src/gateway/stage.js'
import { createHttpServer } from '../../src/server/http-server.js'
import { userWithRole } from './area-user.js'
import { createHttpClient, type HttpClient } from './http-client.js'
import { serverSettings } from './server-settings.js'

export const adminCredential = { authorization: 'Bearer admin' } as const

/** A gateway that only watches, in front of a few routes, on a free port. */
export interface GatewayServer extends HttpClient {
  readonly app: FastifyInstance
  readonly url: string
  readonly monitor: Monitor
  readonly database: CoreDatabase
  /** What was logged as a failure of the server. */
  readonly failures: readonly unknown[]
}

export interface GatewayServerOptions {
  readonly views?: Partial<GatewayViews>
  readonly parts?: readonly RoutesPart[]
  readonly stages?: readonly Stage[]
  readonly logSize?: number
  addRoutes?(app: FastifyInstance): void
}

/** Opens a database of its own in a folder that goes with the test. */
export async function openGatewayDatabase(test: TestContext, file?: string): Promise<CoreDatabase> {
  const database = await createDatabase({ file: file ?? gatewayFile(test) })
  test.after(() => database.close())
  return database
}

/** Path of a database that goes with the test. */
export function gatewayFile(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-gateway-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'test.db')
}

/** Whoever has a bearer credential is a user whose role is that credential; `nobody` is not valid. */
export function authenticateByRole({
  headers,
}: {
  readonly headers: { authorization?: string | undefined }
}) {
  const role = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? 'nobody'
  return role === 'nobody' ? undefined : userWithRole(role)
}

/** Starts a gateway; it goes with the test. */
export async function startGatewayServer(
  test: TestContext,
  { views = {}, parts = [], stages = [], logSize, addRoutes }: GatewayServerOptions = {},
): Promise<GatewayServer> {
  const database = await openGatewayDatabase(test)
  const failures: unknown[] = []
  const log = { ...silentLog(), error: (fields: unknown) => failures.push(fields) }
  const monitor = createMonitor({
    views: { limiter: undefined, cors: undefined, shell: undefined, cache: undefined, ...views },
    database,
    keepsHistory: true,
    log,
    ...(logSize !== undefined && { logSize }),
  })
  const app = createHttpServer({ log, settings: serverSettings(), areas: [gatewayArea] })
  const pipeline = new Pipeline({
    stages: [monitor.stage, ...stages],
    clientIp: ({ raw }) => raw.socket.remoteAddress ?? 'unknown',
    userOf: () => undefined,
    log,
  })
  pipeline.install(app)
  addRoutes?.(app)
  for (const prefix of gatewayPrefixes) {
    const isDocumented = prefix === gatewayPrefixes[0]
    const routes = { monitor, pipeline, parts, authenticate: authenticateByRole, isDocumented, log }
    await app.register(createGatewayRoutes(routes), { prefix })
  }
  await monitor.start()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = createHttpClient(url)
  test.after(async () => {
    client.close()
    await app.close()
    await monitor.close()
  })
  return { ...client, app, url, monitor, database, failures }
}

export function silentLog() {
  return { debug: () => {}, info: () => {}, warn: () => {}, error: (): unknown => undefined }
}
