import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import { encodeKey } from '../key.js'
import type { KvEntry, KvPageOptions } from '../kv.js'
import { showCursor } from '../range.js'
import type { Wire } from '../wire.js'
import { entryToJson } from './answers.js'
import {
  given,
  type Members,
  readBoolean,
  readInteger,
  readMembers,
  readText,
  readWhere,
} from './body-reader.js'
import { readPrefix } from './key-text.js'
import { type RouteMaker, sendJson } from './operation.js'
import { bodyOf, entrySchema, keySchema, pageSchema, text, whereSchema } from './schemas.js'

const limits = { min: 1, max: kvLimits.pageEntriesMax }
const names = ['prefix', 'start', 'end', 'cursor', 'limit', 'reverse', 'where']

/** Adds pages and counts whose choice is a body: with filters, and with keys of every length. */
export function addPageRoutes(app: FastifyInstance, route: RouteMaker): void {
  addPages(app, route)
  addCount(app, route)
}

function addPages(app: FastifyInstance, route: RouteMaker): void {
  const cursor = text('Where a list that ends with this entry goes on.')
  app.post(
    '/keys/paginate',
    route(
      {
        operationId: 'kvPaginateWhere',
        summary: 'List entries below a prefix that match a filter, page by page',
        description: 'A page may have fewer entries than its limit, or none, and not be the last one.',
        permission: 'kv:read',
        body: bodyOf({
          prefix: Type.Optional(keySchema),
          start: Type.Optional(keySchema),
          end: Type.Optional(keySchema),
          cursor: Type.Optional(text('`cursor` of a page or an entry before; the first page when missing.')),
          limit: Type.Optional(Type.Integer({ minimum: limits.min, maximum: limits.max })),
          reverse: Type.Optional(Type.Boolean()),
          where: Type.Optional(whereSchema),
        }),
        answer: Type.Composite([
          Type.Omit(pageSchema, ['entries']),
          Type.Object({ entries: Type.Array(Type.Intersect([entrySchema, Type.Object({ cursor })])) }),
        ]),
      },
      async ({ kv, request, reply }) => {
        const page = await kv.paginate(readPageOptions(readMembers(request.body, 'the body', names)))
        const { cursor: next, hasMore } = page
        const answer = { entries: page.entries.map(withCursor), cursor: next, hasMore }
        return sendJson(reply, JSON.stringify(answer))
      },
    ),
  )
}

function addCount(app: FastifyInstance, route: RouteMaker): void {
  app.post(
    '/keys/count',
    route(
      {
        operationId: 'kvCountWhere',
        summary: 'Count the entries below a prefix that match a filter',
        permission: 'kv:read',
        body: bodyOf({ prefix: Type.Optional(keySchema), where: Type.Optional(whereSchema) }),
        answer: Type.Object({ count: Type.Integer() }),
      },
      async ({ kv, request }) => {
        const { prefix = [], where } = readMembers(request.body, 'the body', ['prefix', 'where'])
        const options = given({ where: readWhere(where, 'where') })
        return { count: await kv.count(readPrefix(prefix, 'prefix'), options) }
      },
    ),
  )
}

function readPageOptions({ prefix, start, end, cursor, limit, reverse, where }: Members): KvPageOptions {
  return given({
    prefix: prefix === undefined ? undefined : readPrefix(prefix, 'prefix'),
    start: start === undefined ? undefined : readPrefix(start, 'start'),
    end: end === undefined ? undefined : readPrefix(end, 'end'),
    cursor: readText(cursor, 'cursor'),
    limit: readInteger(limit, 'limit'),
    reverse: readBoolean(reverse, 'reverse'),
    where: readWhere(where, 'where'),
  })
}

function withCursor(entry: KvEntry): Wire {
  return { ...(entryToJson(entry) as object), cursor: showCursor(encodeKey(entry.key)) }
}
