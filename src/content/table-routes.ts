import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ContentService } from './content-service.js'
import { contentNotFound } from './errors.js'
import type { HookRow } from './hook-runner.js'
import { matchedVersion, readBody, versionTag } from './precondition.js'
import { requestUnreadable } from './routes-failures.js'
import {
  bodySchema,
  listQuerySchema,
  operationNames,
  operationSchema,
  pageSchema,
  routedTables,
  rowSchema,
} from './routes-schemas.js'
import type { ContentTable, ReadableTable } from './table-catalogue.js'
import type { Users } from './users.js'

interface RowRequest {
  Params: { readonly id: string }
}

/** Adds the operations of all tables. */
export function addTableRoutes(app: FastifyInstance, content: ContentService, users: Users): void {
  for (const { table, isWritable } of routedTables) {
    addReads(app, content, table)
    if (!isWritable) continue
    addCreate(app, content, users, table as ContentTable)
    addUpdates(app, content, users, table as ContentTable)
    addDelete(app, content, users, table as ContentTable)
  }
  addStatusChanges(app, content, users)
}

function addReads(app: FastifyInstance, content: ContentService, table: ReadableTable): void {
  const { one, many } = operationNames(table)
  const list = operationSchema({
    operationId: `list${many}`,
    summary: `List rows of ${table}`,
    querystring: listQuerySchema(table),
    answers: { 200: pageSchema(table) },
    failures: [400, 422],
  })
  app.get(`/${table}`, { schema: list }, async (request) => {
    const { items, nextCursor } = await content.list(table, request.query as Record<string, unknown>)
    return { items, ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }) }
  })

  const get = operationSchema({
    operationId: `get${one}`,
    summary: `Show a row of ${table}`,
    params: ['id'],
    answers: { 200: rowSchema(table) },
    failures: [404],
  })
  app.get<RowRequest>(`/${table}/:id`, { schema: get }, async ({ params: { id } }, reply) => {
    const row = await content.reader.get(table, id)
    if (row === undefined) throw contentNotFound({ what: `row of ${table}`, id: id.slice(0, 80) })
    return sendRow(reply, row)
  })
}

function addCreate(app: FastifyInstance, content: ContentService, users: Users, table: ContentTable): void {
  const schema = operationSchema({
    operationId: `create${operationNames(table).one}`,
    summary: `Add a row to ${table}`,
    body: bodySchema(table, 'create'),
    answers: { 201: rowSchema(table) },
    failures: [400, 409, 413, 422],
  })
  app.post(`/${table}`, { schema }, async (request, reply) => {
    const { columns } = readBody(request)
    const row = await content.writer.create(table, columns, users.contextOf(request))
    reply.code(201).header('location', `${request.url.split('?')[0]}/${row.id}`)
    return sendRow(reply, row)
  })
}

function addUpdates(app: FastifyInstance, content: ContentService, users: Users, table: ContentTable): void {
  const kinds = [
    { method: 'PATCH', mode: 'merge', verb: 'change', summary: 'Change columns of a row of' },
    { method: 'PUT', mode: 'replace', verb: 'replace', summary: 'Replace a row of' },
  ] as const
  for (const { method, mode, verb, summary } of kinds) {
    const schema = operationSchema({
      operationId: `${verb}${operationNames(table).one}`,
      summary: `${summary} ${table}`,
      description: 'Fires the update hooks; a change of the status those of publish or archive too.',
      params: ['id'],
      body: bodySchema(table, mode),
      answers: { 200: rowSchema(table) },
      failures: [400, 404, 409, 413, 422],
    })
    app.route<RowRequest>({
      method,
      url: `/${table}/:id`,
      schema,
      handler: async (request, reply) => {
        const { columns, version } = readBody(request)
        const context = users.contextOf(request)
        const { id } = request.params
        return sendRow(reply, await content.writer.update(table, id, columns, mode, { version }, context))
      },
    })
  }
}

function addDelete(app: FastifyInstance, content: ContentService, users: Users, table: ContentTable): void {
  const schema = operationSchema({
    operationId: `delete${operationNames(table).one}`,
    summary: `Delete a row of ${table}`,
    description: 'If-Match names the version that is meant; any when missing.',
    params: ['id'],
    answers: { 204: Type.Null({ description: 'It is gone.' }) },
    failures: [400, 404, 409, 422],
  })
  app.delete<RowRequest>(`/${table}/:id`, { schema }, async (request, reply) => {
    const version = matchedVersion(request)
    await content.writer.remove(table, request.params.id, { version }, users.contextOf(request))
    return reply.code(204).send()
  })
}

function addStatusChanges(app: FastifyInstance, content: ContentService, users: Users): void {
  const changes = [
    { action: 'publish', status: 'published', summary: 'Publish an entry' },
    { action: 'archive', status: 'archived', summary: 'Archive an entry' },
  ] as const
  for (const { action, status, summary } of changes) {
    const schema = operationSchema({
      operationId: `${action}Entry`,
      summary,
      description: 'Takes no body. If-Match names the version that is meant; any when missing.',
      params: ['id'],
      answers: { 200: rowSchema('content_data') },
      failures: [400, 404, 409, 422],
    })
    app.post<RowRequest>(`/content_data/:id/${action}`, { schema }, async (request, reply) => {
      const version = versionOf(request)
      const context = users.contextOf(request)
      return sendRow(reply, await content.writer.setStatus(status, request.params.id, { version }, context))
    })
  }
}

/** A body is not needed; one that is there may name the version. */
function versionOf(request: FastifyRequest): number | undefined {
  if (request.body === undefined || request.body === null) return matchedVersion(request)
  const { columns, version } = readBody(request)
  if (Object.keys(columns).length === 0) return version
  throw requestUnreadable({ problem: 'This takes no columns; change them with PATCH.' })
}

function sendRow(reply: FastifyReply, row: HookRow): FastifyReply {
  return reply.header('etag', versionTag(row.version ?? row.id)).send(row)
}
