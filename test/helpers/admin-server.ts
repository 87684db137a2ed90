import Fastify, { type FastifyInstance } from 'fastify'
import { adminPrefix, createAdminApi } from '../../src/admin/admin-api.js'
import { createOpenApi } from '../../src/admin/openapi.js'
import type { AdminLog } from '../../src/admin/options.js'
import type { AreaUser } from '../../src/areas/user.js'
import { userWithRole } from './area-user.js'
import { FakeAdministration } from './fake-administration.js'
import { FakeHookAdministration } from './fake-hook-administration.js'

/** Users by their bearer token. */
const users: Readonly<Record<string, AreaUser>> = {
  'right-token': userWithRole('admin', 'root'),
  'viewer-token': userWithRole('viewer', 'vera'),
  'plugins-token': {
    username: 'paul',
    role: 'plugins',
    may: (permission) => permission.startsWith('plugins:'),
  },
}

/** A real Fastify application with the admin API over a fake administration. */
export interface AdminServer {
  readonly app: FastifyInstance
  readonly administration: FakeAdministration
  readonly hooks: FakeHookAdministration
  /** Log lines: level, message and fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
}

/** Creates the application; the caller closes `app`. */
export async function createAdminServer(): Promise<AdminServer> {
  const administration = new FakeAdministration()
  const hooks = new FakeHookAdministration()
  const lines: AdminServer['lines'] = []
  const log: AdminLog = {
    info: (fields, message) => void lines.push(['info', message, fields]),
    warn: (fields, message) => void lines.push(['warn', message, fields]),
    error: (fields, message) => void lines.push(['error', message, fields]),
  }
  const app = Fastify()
  await app.register(
    createOpenApi({ version: '1.2.3', session: { header: 'x-session-id', cookie: 'modulacms_session' } }),
  )
  await app.register(
    createAdminApi({
      administration,
      hooks,
      log,
      metrics: async () => [
        {
          name: 'x_total',
          type: 'counter',
          help: 'X.',
          samples: [{ labels: { plugin: 'notes' }, value: 1 }],
        },
      ],
      authenticate: (request) =>
        users[/^bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''],
    }),
    { prefix: adminPrefix },
  )
  app.get('/api/v1/health', async () => ({ status: 'ok' }))
  await app.ready()
  return { app, administration, hooks, lines }
}
