import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { kvLimits } from '../../base/limits/kv.js'
import type { KvMessage } from '../kv.js'
import { enqueueOptionNames } from '../queue-options.js'
import { messageToJson } from './answers.js'
import {
  given,
  type Members,
  needText,
  needValue,
  readInteger,
  readMembers,
  readText,
} from './body-reader.js'
import { enqueueProperties, readEnqueueOptions } from './enqueue-options.js'
import type { MessageHolds } from './message-holds.js'
import type { RouteMaker } from './operation.js'
import {
  bodyOf,
  leasedSchema,
  messageSchema,
  milliseconds,
  statsSchema,
  text,
  valueSchema,
} from './schemas.js'

export const queueText = 'Name of the queue; `default` when it is missing.'
export const leaseText = 'Milliseconds for which the message is yours; 30000 when it is missing.'

const held = {
  id: text('Id of the message.'),
  lease: text('`lease` of the message, as it was given out.'),
}

/** Adds what puts messages into queues and takes them out, one by one. */
export function addQueueRoutes(app: FastifyInstance, route: RouteMaker, holds: MessageHolds): void {
  addEnqueue(app, route)
  addPoll(app, route)
  addAnswers(app, route, holds)
  addStats(app, route)
}

function addEnqueue(app: FastifyInstance, route: RouteMaker): void {
  app.post(
    '/queue/enqueue',
    route(
      {
        operationId: 'kvEnqueue',
        summary: 'Put a message into a queue',
        permission: 'kv:queue',
        body: bodyOf({ value: valueSchema, options: Type.Optional(bodyOf(enqueueProperties)) }),
        answer: Type.Object({ ok: Type.Boolean(), id: Type.String() }),
        failures: [507],
      },
      async ({ kv, request }) => {
        const members = readMembers(request.body, 'the body', ['value', 'options'])
        const options = members.options === undefined ? {} : members.options
        const { id } = await kv.queues.enqueue(
          needValue(members, 'value'),
          readEnqueueOptions(readMembers(options, 'options', enqueueOptionNames), 'options'),
        )
        return { ok: true, id }
      },
    ),
  )
}

function addPoll(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/queue/poll',
    route(
      {
        operationId: 'kvDequeue',
        summary: 'Take the message that has been due for longest',
        description: 'Unless it is acknowledged before its lease ends, it is given out again.',
        permission: 'kv:queue',
        query: { queue: queueText, lease: leaseText },
        answer: Type.Object({ message: Type.Union([messageSchema, Type.Null()]) }),
      },
      async ({ kv, query }) => {
        const options = given({ queue: query.text('queue'), lease: query.integer('lease') })
        const message = await kv.queues.dequeue(options)
        return { message: message === undefined ? null : messageToJson(message) }
      },
    ),
  )
}

function addAnswers(app: FastifyInstance, route: RouteMaker, holds: MessageHolds): void {
  app.post(
    '/queue/ack',
    route(
      {
        operationId: 'kvAck',
        summary: 'Tell that a message is done',
        permission: 'kv:queue',
        body: bodyOf(held),
        answer: leasedSchema,
      },
      async ({ kv, request }) => {
        const members = readMembers(request.body, 'the body', ['id', 'lease'])
        const message = readHeld(members)
        const ok = await kv.queues.ack(message)
        if (ok) holds.answered(message)
        return { ok }
      },
    ),
  )
  app.post(
    '/queue/nack',
    route(
      {
        operationId: 'kvNack',
        summary: 'Give a message back, to be tried again after its pause',
        permission: 'kv:queue',
        body: bodyOf({ ...held, error: Type.Optional(text('What went wrong; shown with the dead letter.')) }),
        answer: leasedSchema,
      },
      async ({ kv, request }) => {
        const members = readMembers(request.body, 'the body', ['id', 'lease', 'error'])
        const message = readHeld(members)
        const ok = await kv.queues.nack(message, readText(members.error, 'error'))
        if (ok) holds.answered(message)
        return { ok }
      },
    ),
  )
  addExtend(app, route, holds)
}

function addExtend(app: FastifyInstance, route: RouteMaker, holds: MessageHolds): void {
  app.post(
    '/queue/extend',
    route(
      {
        operationId: 'kvExtend',
        summary: 'Keep a message for longer',
        permission: 'kv:queue',
        body: bodyOf({
          ...held,
          duration: Type.Optional(milliseconds('From now until the lease ends; 30000 when it is missing.')),
        }),
        answer: leasedSchema,
      },
      async ({ kv, request }) => {
        const members = readMembers(request.body, 'the body', ['id', 'lease', 'duration'])
        const duration = readInteger(members.duration, 'duration')
        const message = readHeld(members)
        const ok = await kv.queues.extend(message, duration)
        if (ok) holds.extended(message, duration ?? kvLimits.leaseMsDefault)
        return { ok }
      },
    ),
  )
}

function addStats(app: FastifyInstance, route: RouteMaker): void {
  app.get(
    '/queue/stats',
    route(
      {
        operationId: 'kvQueueStats',
        summary: 'Count the messages of a queue, or of all queues',
        permission: 'kv:queue',
        query: { queue: 'Name of the queue; all of the namespace when it is missing.' },
        answer: statsSchema,
      },
      ({ kv, query }) => kv.queues.stats(query.text('queue')),
    ),
  )
}

function readHeld({ id, lease }: Members): Pick<KvMessage, 'id' | 'lease'> {
  return { id: needText(id, 'id'), lease: needText(lease, 'lease') }
}
