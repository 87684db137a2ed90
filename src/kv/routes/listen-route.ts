import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvHttpLimits, kvLimits } from '../../base/limits/kv.js'
import type { KvMessage, KvQueues } from '../kv.js'
import { messageToJson } from './answers.js'
import { given } from './body-reader.js'
import type { EventStream } from './event-stream.js'
import type { HoldCounter, MessageHolds } from './message-holds.js'
import type { RouteMaker } from './operation.js'
import { leaseText, queueText } from './queue-routes.js'
import type { Streams } from './streams.js'

const concurrencyRange = { min: 1, max: kvHttpLimits.listenMessagesMax }
const concurrencyText = `Messages that are yours at the same time, at most ${concurrencyRange.max}; 1 when it is missing.`

/** Adds the stream of the messages of a queue. */
export function addListenRoute(
  app: FastifyInstance,
  route: RouteMaker,
  streams: Streams,
  holds: MessageHolds,
): void {
  app.get(
    '/queue/listen',
    route(
      {
        operationId: 'kvListen',
        summary: 'Take the messages of a queue as they become due',
        description:
          'The answer is a stream of server-sent events. Each `message` has a message that is leased to this client, which acknowledges it or gives it back as one of a poll; the next one is leased when that is done, or the lease has ended. `ping` says that the connection is alive; `failure` comes before the end of a stream that cannot go on.',
        permission: 'kv:queue',
        query: { queue: queueText, lease: leaseText, concurrency: concurrencyText },
        answer: Type.String(),
        answersAs: 'text/event-stream',
      },
      ({ kv, query, request, reply }) => {
        const options = given({ queue: query.text('queue'), lease: query.integer('lease') })
        const held = holds.counter(query.integer('concurrency', concurrencyRange) ?? 1)
        return streams.open(request, reply, async (signal) => {
          // What is wrong with the options shows here, before the stream begins.
          const first = await kv.queues.dequeue(options)
          return async (stream) => {
            try {
              await deliver(kv.queues, { ...options, signal }, first, stream, held)
            } finally {
              held.close()
            }
          }
        })
      },
    ),
  )
}

async function deliver(
  queues: KvQueues,
  options: Parameters<KvQueues['next']>[0],
  first: KvMessage | undefined,
  stream: EventStream,
  held: HoldCounter,
): Promise<void> {
  let message = first ?? (await queues.next(options))
  while (message !== undefined) {
    held.add(message, options.lease ?? kvLimits.leaseMsDefault)
    const data = JSON.stringify(messageToJson(message))
    const sent = await stream.send({ event: 'message', id: message.id, data })
    // What may have arrived in part is left to its lease: the client could be working on it.
    if (sent === 'not sent') await giveBack(queues, message)
    if (sent !== 'sent') return
    // What waits in a connection is leased and ages: it would be given out again before anybody saw it.
    await held.room(options.signal)
    message = await queues.next(options)
  }
}

/** Somebody else gets the message at once, not when the lease would have ended. */
async function giveBack(queues: KvQueues, message: KvMessage): Promise<void> {
  await queues.extend(message, 1)
}
