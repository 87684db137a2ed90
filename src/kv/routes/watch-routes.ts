import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { KvKey } from '../key.js'
import type { Kv, KvBatch } from '../kv.js'
import { changeToJson } from './answers.js'
import { given } from './body-reader.js'
import type { StreamEvent } from './event-stream.js'
import { readKeysText, readPrefixText } from './key-text.js'
import type { KvCall, RouteMaker } from './operation.js'
import { preview } from './preview.js'
import type { Query } from './query.js'
import { requestInvalid } from './routes-failures.js'
import { pollSchema } from './schemas.js'
import type { Streams } from './streams.js'

type Target = { readonly keys: readonly KvKey[] } | { readonly prefix: KvKey }

const keysText =
  'The keys: a JSON array of keys (`[["users",42],["users",43]]`), or paths with commas between them (`users/42,users/43`).'
const prefixText = 'Beginning of the keys, e.g. `users` or `["users"]`; the empty text for all.'
const sinceText =
  'Versionstamp of the last batch that is known already. The header `Last-Event-ID` means the same and goes first.'
const initialText = '`false` leaves out what there is at the beginning. `true` when it is missing.'
const streamText =
  'The answer is a stream of server-sent events. `reset` tells all that there is, in one event or several up to the one whose `complete` is true: what is not among it is gone. `change` tells what was changed since. Their data has `{type,key,value,versionstamp}`, and their `id` is where the stream can be taken up again. `ping` says that the connection is alive; `failure` comes before the end of a stream that cannot go on.'

/** Adds what tells of changes: streams and polls, of single keys and of everything below a prefix. */
export function addWatchRoutes(app: FastifyInstance, route: RouteMaker, streams: Streams): void {
  addKind(app, route, streams, {
    path: '/watch',
    name: 'Keys',
    of: 'keys',
    parameter: { keys: keysText },
    target: (query) => ({ keys: readKeysText(query.needText('keys'), 'keys') }),
  })
  addKind(app, route, streams, {
    path: '/watch/prefix',
    name: 'Prefix',
    of: 'everything below a prefix, the prefix included',
    parameter: { prefix: prefixText },
    target: (query) => ({ prefix: readPrefixText(query.needText('prefix'), 'prefix') }),
  })
}

/** What can be watched. */
interface WatchKind {
  readonly path: string
  readonly name: string
  readonly of: string
  readonly parameter: Readonly<Record<string, string>>
  target(query: Query): Target
}

function addKind(app: FastifyInstance, route: RouteMaker, streams: Streams, kind: WatchKind): void {
  const { path, name, of, parameter, target } = kind
  app.get(
    path,
    route(
      {
        operationId: `kvWatch${name}`,
        summary: `Follow ${of}`,
        description: streamText,
        permission: 'kv:watch',
        query: { ...parameter, initial: initialText, since: sinceText },
        answer: Type.String(),
        answersAs: 'text/event-stream',
      },
      (call) => openWatch(call, streams, target(call.query)),
    ),
  )
  app.get(
    `${path}/poll`,
    route(
      {
        operationId: `kvPoll${name}`,
        summary: `Ask what has changed of ${of}`,
        description: 'All that there is, when `since` is missing or further back than changes are kept.',
        permission: 'kv:watch',
        query: { ...parameter, since: sinceText },
        answer: pollSchema,
      },
      (call) => poll(call.kv, target(call.query), sinceOf(call)),
    ),
  )
}

function openWatch(call: KvCall, streams: Streams, target: Target): unknown {
  const { kv, query, request, reply } = call
  const options = given({ initial: query.flag('initial'), since: sinceOf(call) })
  return streams.open(request, reply, (signal) => {
    const batches = kv.watch(target, { ...options, signal })
    return async (stream) => {
      for await (const batch of batches) {
        // The next batch is read only once the socket has taken this one.
        if ((await stream.send(eventOf(batch))) !== 'sent') return
      }
    }
  })
}

function eventOf({ reset, isComplete, changes, versionstamp }: KvBatch): StreamEvent {
  const entries = changes.map(changeToJson)
  // A client that comes back in the middle of a reset begins anew.
  if (reset) {
    const id = isComplete ? { id: versionstamp } : {}
    return { event: 'reset', ...id, data: JSON.stringify({ complete: isComplete, entries }) }
  }
  if (entries.length === 0) return { id: versionstamp }
  return { event: 'change', id: versionstamp, data: JSON.stringify(entries) }
}

async function poll(kv: Kv, target: Target, since: string | undefined): Promise<unknown> {
  const { reset, changes, versionstamp } = await kv.changes(target, given({ since }))
  return { entries: changes.map(changeToJson), versionstamp, reset }
}

function sinceOf({ query, request }: KvCall): string | undefined {
  const header = request.headers['last-event-id']
  // Browsers send an empty one when no event had an id.
  const resumed = typeof header === 'string' && header !== '' ? header : undefined
  const since = resumed ?? query.text('since')
  if (since === undefined || /^[0-9a-f]{20}$/.test(since)) return since
  const place = resumed === undefined ? 'since' : 'The header Last-Event-ID'
  throw requestInvalid({
    problem: `${place} must be a versionstamp, 20 hexadecimal digits, not ${preview(since)}.`,
  })
}
