import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvHttpLimits, kvLimits } from '../../base/limits/kv.js'
import type { Kv, KvListOptions, KvSelector } from '../kv.js'
import { entryToJson } from './answers.js'
import { given, readBoolean, readInteger, readMembers, readWhere } from './body-reader.js'
import { readPrefix } from './key-text.js'
import { type RouteMaker, sendJson } from './operation.js'
import type { Query } from './query.js'
import { answerTooLarge } from './routes-failures.js'
import { bodyOf, entriesSchema, keySchema, pageSchema, whereSchema } from './schemas.js'

const limits = { min: 1, max: kvLimits.pageEntriesMax }
const limitText = `Entries, at most ${kvLimits.pageEntriesMax}; ${kvLimits.pageEntriesDefault} when it is missing.`
const reverseText = '`true` for the last ones first.'
const prefixText = 'Beginning of the keys, e.g. `users/42` or `["users",42]`; all when it is missing.'

const rangeTexts = {
  prefix: prefixText,
  start: 'First key, itself included.',
  end: 'Key before which the list ends.',
}

/** Adds lists of entries: as a whole, counted, and page by page. */
export function addListRoutes(app: FastifyInstance, route: RouteMaker): void {
  addLists(app, route)
  addCount(app, route)
  addPages(app, route)
}

function addLists(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/keys',
    route(
      {
        operationId: 'kvList',
        summary: 'List entries below a prefix',
        permission: 'kv:read',
        query: { ...rangeTexts, limit: limitText, reverse: reverseText },
        answer: entriesSchema,
      },
      async ({ kv, query, reply }) => {
        const options = given({ limit: query.integer('limit', limits), reverse: query.flag('reverse') })
        return sendJson(reply, await list(kv, readRange(query), options))
      },
    ),
  )
  const names = ['prefix', 'start', 'end', 'limit', 'reverse', 'where']
  app.post(
    '/keys/list',
    route(
      {
        operationId: 'kvListWhere',
        summary: 'List entries below a prefix that match a filter',
        permission: 'kv:read',
        body: bodyOf({
          prefix: Type.Optional(keySchema),
          start: Type.Optional(keySchema),
          end: Type.Optional(keySchema),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.max, description: limitText })),
          reverse: Type.Optional(Type.Boolean()),
          where: Type.Optional(whereSchema),
        }),
        answer: entriesSchema,
      },
      async ({ kv, request, reply }) => {
        const { prefix, start, end, limit, reverse, where } = readMembers(request.body, 'the body', names)
        const selector = given({
          prefix: prefix === undefined ? undefined : readPrefix(prefix, 'prefix'),
          start: start === undefined ? undefined : readPrefix(start, 'start'),
          end: end === undefined ? undefined : readPrefix(end, 'end'),
        })
        const options = given({
          limit: readInteger(limit, 'limit', limits),
          reverse: readBoolean(reverse, 'reverse'),
          where: readWhere(where, 'where'),
        })
        return sendJson(reply, await list(kv, selector, options))
      },
    ),
  )
}

function addCount(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/keys/count',
    route(
      {
        operationId: 'kvCount',
        summary: 'Count the entries below a prefix',
        permission: 'kv:read',
        query: { prefix: prefixText },
        answer: Type.Object({ count: Type.Integer() }),
      },
      async ({ kv, query }) => ({ count: await kv.count(query.prefix('prefix') ?? []) }),
    ),
  )
}

function addPages(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/keys/paginate',
    route(
      {
        operationId: 'kvPaginate',
        summary: 'List entries below a prefix page by page',
        permission: 'kv:read',
        query: {
          ...rangeTexts,
          limit: limitText,
          reverse: reverseText,
          cursor: '`cursor` of the page before; the first page when it is missing.',
        },
        answer: pageSchema,
      },
      async ({ kv, query }) => {
        const page = await kv.paginate({
          ...readRange(query),
          ...given({
            limit: query.integer('limit', limits),
            reverse: query.flag('reverse'),
            cursor: query.text('cursor'),
          }),
        })
        return { entries: page.entries.map(entryToJson), cursor: page.cursor, hasMore: page.hasMore }
      },
    ),
  )
}

function readRange(query: Query): KvSelector {
  return given({
    prefix: query.prefix('prefix'),
    start: query.prefix('start'),
    end: query.prefix('end'),
  })
}

/** Reads entries until there are enough, and gives up where they become too many bytes for one answer. */
async function list(kv: Kv, selector: KvSelector, options: KvListOptions): Promise<string> {
  const limit = options.limit ?? kvLimits.pageEntriesDefault
  const texts: string[] = []
  let bytes = 0
  for await (const entry of kv.list(selector, { ...options, limit })) {
    const text = JSON.stringify(entryToJson(entry))
    bytes += text.length + 1
    if (bytes > kvHttpLimits.listBytesMax) {
      const remedy = 'Ask for fewer entries with "limit", or for pages with /keys/paginate.'
      throw answerTooLarge({ limit: kvHttpLimits.listBytesMax, remedy })
    }
    texts.push(text)
  }
  return `[${texts.join(',')}]`
}
