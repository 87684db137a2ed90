import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import type { KvDeleteOptions } from '../kv.js'
import { fromWire } from '../wire.js'
import { entryToJson } from './answers.js'
import { given, locate, type Members, readBoolean, readMembers, readWhere } from './body-reader.js'
import { readKeyPath, readKeys } from './key-text.js'
import type { RouteMaker } from './operation.js'
import { keyNotFound, requestInvalid } from './routes-failures.js'
import {
  bodyOf,
  commitSchema,
  deletedSchema,
  entriesSchema,
  entrySchema,
  keySchema,
  valueSchema,
  whereSchema,
} from './schemas.js'

const pathText =
  'The key is the rest of the path: parts with slashes between them, of which integers are numbers (`users/42`), or percent-encoded tagged JSON (`%5B%22users%22%2C42%5D`).'
const exactText = 'False deletes everything below the key as well. True when it is missing.'

/** Adds what reads, writes and deletes single entries, and several at once. */
export function addEntryRoutes(app: FastifyInstance, route: RouteMaker): void {
  addReads(app, route)
  addPut(app, route)
  addDeletes(app, route)
}

function addReads(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/keys/*',
    route(
      {
        operationId: 'kvGet',
        summary: 'Read an entry',
        description: pathText,
        permission: 'kv:read',
        answer: entrySchema,
        failures: [404],
      },
      async ({ kv, request }) => {
        const entry = await kv.get(keyOf(request))
        // A stored null has a versionstamp.
        if (entry.versionstamp === null) throw keyNotFound()
        return entryToJson(entry)
      },
    ),
  )
  app.post(
    '/keys/batch',
    route(
      {
        operationId: 'kvGetMany',
        summary: 'Read several entries at one moment',
        description:
          'Answers in the order of the keys; value and versionstamp are null where there is no entry.',
        permission: 'kv:read',
        body: bodyOf({ keys: Type.Array(keySchema, { minItems: 1, maxItems: kvLimits.keysMax }) }),
        answer: entriesSchema,
      },
      async ({ kv, request }) => {
        const { keys } = readMembers(request.body, 'the body', ['keys'])
        return (await kv.getMany(readKeys(keys, 'keys'))).map(entryToJson)
      },
    ),
  )
}

function addPut(app: FastifyInstance, route: RouteMaker): void {
  app.put(
    '/keys/*',
    route(
      {
        operationId: 'kvSet',
        summary: 'Write an entry',
        description: `The body is the value. ${pathText}`,
        permission: 'kv:write',
        query: { expiresIn: 'Milliseconds until the entry is gone; it stays when missing.' },
        body: valueSchema,
        answer: commitSchema,
        failures: [507],
      },
      async ({ kv, query, request }) => {
        const key = keyOf(request)
        if (request.body === undefined) {
          throw requestInvalid({ problem: 'The body is missing; it is the value, as application/json.' })
        }
        const value = locate('the body', () => fromWire(request.body))
        const { versionstamp } = await kv.set(key, value, given({ expiresIn: query.integer('expiresIn') }))
        return { ok: true, versionstamp }
      },
    ),
  )
}

function addDeletes(app: FastifyInstance, route: RouteMaker): void {
  const choice = {
    exact: Type.Optional(Type.Boolean({ description: exactText })),
    where: Type.Optional(whereSchema),
  }
  app.delete(
    '/keys/*',
    route(
      {
        operationId: 'kvDelete',
        summary: 'Delete an entry, or everything below a key as well',
        description: `The body may be missing. ${pathText}`,
        permission: 'kv:write',
        body: bodyOf(choice),
        answer: deletedSchema,
      },
      async ({ kv, request }) => {
        const key = keyOf(request)
        const body = request.body === undefined ? {} : request.body
        const { deletedCount } = await kv.delete(key, readChoice(readMembers(body, 'the body', choiceNames)))
        return { deletedCount }
      },
    ),
  )
  app.post(
    '/keys/delete-batch',
    route(
      {
        operationId: 'kvDeleteMany',
        summary: 'Delete several entries in one commit',
        permission: 'kv:write',
        body: bodyOf({
          keys: Type.Array(keySchema, { minItems: 1, maxItems: kvLimits.keysMax }),
          ...choice,
        }),
        answer: deletedSchema,
      },
      async ({ kv, request }) => {
        const members = readMembers(request.body, 'the body', ['keys', ...choiceNames])
        const { deletedCount } = await kv.deleteMany(readKeys(members.keys, 'keys'), readChoice(members))
        return { deletedCount }
      },
    ),
  )
}

const choiceNames: readonly string[] = ['exact', 'where']

function readChoice({ exact, where }: Members): KvDeleteOptions {
  return given({ exact: readBoolean(exact, 'exact'), where: readWhere(where, 'where') })
}

/**
 * Reads the key out of the URL as it was sent: the framework decodes it as a whole, so that an encoded slash could
 * no longer be told from one between two parts.
 */
function keyOf(request: FastifyRequest): ReturnType<typeof readKeyPath> {
  const { url = '' } = request.raw
  const [path = ''] = url.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/, 1)
  // The router may have matched encoded letters, but it never takes an encoded slash for a slash.
  const slashes = (request.routeOptions.url ?? '').split('/').length - 1
  return readKeyPath(path.split('/').slice(slashes).join('/'))
}
