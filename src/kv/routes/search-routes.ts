import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import type { KvIndexOptions, KvSearchOptions } from '../kv.js'
import { hitToJson, indexToJson } from './answers.js'
import { given, readInteger, readItems, readMembers, readText, readWhere } from './body-reader.js'
import { readPrefix, readPrefixText } from './key-text.js'
import type { RouteMaker } from './operation.js'
import { mismatch } from './preview.js'
import {
  bodyOf,
  deletedSchema,
  hitSchema,
  indexSchema,
  keySchema,
  okSchema,
  text,
  whereSchema,
} from './schemas.js'

const tokenizers = ['unicode61', 'porter', 'ascii', 'trigram'] as const
const limits = { min: 1, max: kvLimits.pageEntriesMax }
const prefixText = 'The prefix of the index, e.g. `articles` or `["articles"]`.'

/** Adds full-text search and its indexes. */
export function addSearchRoutes(app: FastifyInstance, route: RouteMaker): void {
  addIndexes(app, route)
  addSearches(app, route)
}

function addIndexes(app: FastifyInstance, route: RouteMaker): void {
  app.post(
    '/indexes',
    route(
      {
        operationId: 'kvCreateIndex',
        action: 'kv_index.create',
        summary: 'Make a search index over the entries below a prefix',
        description: 'Replaces the one that there is for this prefix. Existing entries are taken in as well.',
        permission: 'kv:write',
        body: bodyOf({
          prefix: keySchema,
          options: bodyOf({
            fields: Type.Array(text('Path of a member, e.g. `title` or `author.name`.')),
            tokenize: Type.Optional(Type.String({ enum: [...tokenizers] })),
          }),
        }),
        answer: okSchema,
      },
      async ({ kv, request }) => {
        const { prefix, options } = readMembers(request.body, 'the body', ['prefix', 'options'])
        const { fields, tokenize } = readMembers(options, 'options', ['fields', 'tokenize'])
        await kv.search.createIndex(readPrefix(prefix, 'prefix'), {
          fields: readItems(fields, 'options.fields', { ...limits, min: 0 }, needField),
          ...given({ tokenize: readText(tokenize, 'options.tokenize') as KvIndexOptions['tokenize'] }),
        })
        return { ok: true }
      },
    ),
  )
  app.get(
    '/indexes',
    route(
      {
        operationId: 'kvIndexes',
        summary: 'List the search indexes',
        permission: 'kv:read',
        answer: Type.Array(indexSchema),
      },
      async ({ kv }) => (await kv.search.indexes()).map(indexToJson),
    ),
  )
  app.delete(
    '/indexes',
    route(
      {
        operationId: 'kvRemoveIndex',
        action: 'kv_index.delete',
        summary: 'Remove the search index of a prefix',
        description: 'Succeeds as well when there is none.',
        permission: 'kv:write',
        query: { prefix: prefixText },
        answer: Type.Composite([okSchema, deletedSchema]),
      },
      async ({ kv, query }) => {
        const isRemoved = await kv.search.removeIndex(readPrefixText(query.needText('prefix'), 'prefix'))
        return { ok: true, deletedCount: isRemoved ? 1 : 0 }
      },
    ),
  )
}

function addSearches(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/search',
    route(
      {
        operationId: 'kvSearch',
        summary: 'Find entries by words, best first',
        permission: 'kv:read',
        query: {
          prefix: prefixText,
          query: 'The words.',
          limit: `Entries, at most ${limits.max}; ${kvLimits.pageEntriesDefault} when it is missing.`,
        },
        answer: Type.Array(hitSchema),
        failures: [404],
      },
      async ({ kv, query }) => {
        const prefix = readPrefixText(query.needText('prefix'), 'prefix')
        const options = given({ limit: query.integer('limit', limits) })
        return (await kv.search.search(prefix, query.needText('query'), options)).map(hitToJson)
      },
    ),
  )
  app.post(
    '/search',
    route(
      {
        operationId: 'kvSearchWhere',
        summary: 'Find entries by words that match a filter, best first',
        permission: 'kv:read',
        body: bodyOf({
          prefix: keySchema,
          query: text('The words.'),
          options: Type.Optional(
            bodyOf({
              limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.max })),
              where: Type.Optional(whereSchema),
              highlight: Type.Optional(
                bodyOf({ open: text('Put before what was found.'), close: text('Put behind it.') }),
              ),
            }),
          ),
        }),
        answer: Type.Array(hitSchema),
        failures: [404],
      },
      async ({ kv, request }) => {
        const { prefix, query, options } = readMembers(request.body, 'the body', [
          'prefix',
          'query',
          'options',
        ])
        const hits = await kv.search.search(
          readPrefix(prefix, 'prefix'),
          readText(query, 'query') ?? '',
          readSearchOptions(options),
        )
        return hits.map(hitToJson)
      },
    ),
  )
}

function readSearchOptions(value: unknown): KvSearchOptions {
  if (value === undefined) return {}
  const { limit, where, highlight } = readMembers(value, 'options', ['limit', 'where', 'highlight'])
  return given({
    limit: readInteger(limit, 'options.limit', limits),
    where: readWhere(where, 'options.where'),
    highlight: highlight === undefined ? undefined : readHighlight(highlight),
  })
}

function readHighlight(value: unknown): NonNullable<KvSearchOptions['highlight']> {
  const { open, close } = readMembers(value, 'options.highlight', ['open', 'close'])
  if (open === undefined) throw mismatch('options.highlight.open', 'a string', open)
  if (close === undefined) throw mismatch('options.highlight.close', 'a string', close)
  return {
    open: readText(open, 'options.highlight.open') ?? '',
    close: readText(close, 'options.highlight.close') ?? '',
  }
}

/** The empty text stands for the value itself. */
function needField(value: unknown, place: string): string {
  const field = readText(value, place)
  if (field === undefined) throw mismatch(place, 'a string', value)
  return field
}
