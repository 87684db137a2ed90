// Bare Fastify: the same two routes as plugins/bench, written the way its users write them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import Fastify from 'fastify'
import { routePath } from './route.mjs'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-bench-fastify-'))
const app = Fastify()

app.get(routePath, (request, reply) => {
  reply.send({ count: 3, message: `hello, ${request.params.name}`, ok: true })
})

const database = new Database(join(directory, 'bench.db'))
database.pragma('journal_mode = WAL')
database.exec(`
  CREATE TABLE items (
    id TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, amount INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
  )
`)
const insert = database.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?)')
const moment = '2026-01-01T00:00:00Z'
database.transaction(() => {
  for (let i = 1; i <= 500; i++) insert.run(`item-${i}`, `Item number ${i}`, i, moment, moment)
})()

const byId = database.prepare('SELECT * FROM items WHERE id = ?')
app.get('/api/v1/plugins/bench/items/:id', (request, reply) => {
  const item = byId.get(request.params.id)
  if (item === undefined) reply.code(404).send({ error: 'no such item' })
  else reply.send(item)
})

process.once('SIGTERM', () => {
  database.close()
  rmSync(directory, { recursive: true, force: true })
  process.exit(0)
})
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
