import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { Ajv } from 'ajv'
import build from 'fast-json-stringify'
import Fastify from 'fastify'
import { createHost } from '../../src/host.js'
import { createLogger } from '../../src/telemetry/logger.js'

/** Parts of a request that a schema may describe. */
const requestParts = ['body', 'querystring', 'params', 'headers'] as const

// The server compiles a schema when it needs it first: one that cannot be compiled would only fail a request.
it('every schema of a route can be compiled', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'modulacms-schemas-'))
  const ajv = new Ajv({ allErrors: true, coerceTypes: false, strict: true })
  const counts = { requests: 0, answers: 0 }
  const failures: string[] = []
  const check = (name: string, compile: () => unknown): void => {
    try {
      compile()
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const part of requestParts) {
      const described = schema?.[part]
      if (described === undefined) continue
      counts.requests += 1
      check(`${method} ${url} ${part}`, () => ajv.compile(described as object))
    }
    const answers = (schema?.response ?? {}) as Record<string, Parameters<typeof build>[0]>
    for (const [status, answer] of Object.entries(answers)) {
      counts.answers += 1
      check(`${method} ${url} ${status}`, () => build(answer))
    }
  })
  const host = await createHost({
    app,
    config: {
      data_directory: folder,
      database_url: `sqlite:${join(folder, 'host.db')}`,
      plugin_enabled: false,
    },
    log: createLogger({ level: 'silent', format: 'json' }),
  })
  t.after(async () => {
    await app.close()
    await host.close()
    await rm(folder, { recursive: true, force: true })
  })
  await app.ready()
  assert.deepEqual(failures, [])
  assert.ok(counts.requests > 50 && counts.answers > 200, JSON.stringify(counts))
})
