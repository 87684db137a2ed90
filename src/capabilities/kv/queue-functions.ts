import { kvLimits } from '../../base/limits/kv.js'
import { anyQueueName, deadLetterQuery, messageId } from '../../kv/queue-options.js'
import type { StoredDeadLetter } from '../../kv/queue-store.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { FunctionDefinition } from '../define.js'
import type { Access } from './access.js'
import { defineKvFunction, type KvFunction, type KvLookups, type KvUse, writing } from './bind.js'
import { errorReturned, optionsParam } from './docs.js'
import { KvFailure } from './failure.js'
import { storedToLua, toTable } from './lua-values.js'
import { readOptions } from './options.js'
import { describe } from './read-values.js'
import { enqueueMessage } from './writing.js'

const reads = (): readonly Access[] => ['read']
const writes = (): readonly Access[] => ['write']

/** Declares the functions for queues. */
export function queueFunctions(lookups: KvLookups): readonly FunctionDefinition[] {
  return [enqueue, queueStats, deadLetters, requeue].flatMap((fn) => defineKvFunction(lookups, fn))
}

const enqueue: KvFunction = {
  name: 'enqueue',
  doc: [
    'Sends a message to a queue of the namespace. The function of `kv.listen` gets it, or who polls the queue over HTTP.',
    'To send it together with changes of entries, use `enqueue` of `kv.atomic`.',
    '',
    `Limits: ${kvLimits.messagesMax} messages in the queues of a namespace, and then nil and a message;`,
    `${kvLimits.backoffPausesMax} pauses. Raises for options that are none, and for values as \`kv.set\`.`,
  ].join('\n'),
  params: [
    { name: 'value', type: 'any', luaType: 'kv.Value', doc: 'What the handler gets.' },
    optionsParam('kv.EnqueueOptions?', 'Which queue, and when.'),
  ],
  returns: [{ luaType: 'kv.Enqueued?', doc: 'The id of the message; nil when it failed.' }, errorReturned],
  example: 'local sent, err = kv.enqueue({ to = user.email }, { queue = "mails", delay = 5000 })',
  access: writes,
  run: (use, value, options) => enqueueMessage(use, value, options),
}

const queueStats: KvFunction = {
  name: 'queue_stats',
  doc: 'Counts the messages of a queue. Raises for a name that no queue can have.',
  params: [
    {
      name: 'queue',
      type: 'any',
      optional: true,
      luaType: 'string?',
      doc: 'Name of the queue; all of the namespace when missing.',
    },
  ],
  returns: [{ luaType: 'kv.QueueStats?', doc: 'The numbers; nil when it failed.' }, errorReturned],
  example: 'local stats = kv.queue_stats("mails")',
  access: reads,
  run(use, queue) {
    const name = queue === undefined ? undefined : anyQueueName(readName(queue))
    const { pending, processing, dead } = use.queues.queueCounts(use.namespace, name, use.clock())
    return toTable({ pending, processing, dead, total: pending + processing + dead })
  },
}

const deadLetters: KvFunction = {
  name: 'dead_letters',
  doc: [
    'Reads the messages of which all tries have failed, newest failure first.',
    '',
    `Limits: ${kvLimits.deadLettersPageDefault} letters unless \`limit\` says otherwise, ${kvLimits.deadLettersPageMax} at`,
    `most. The newest ${kvLimits.deadLettersMax} of a namespace are kept, for a week.`,
  ].join('\n'),
  params: [optionsParam('kv.DeadLetterOptions?', 'Which letters; the newest of all queues when missing.')],
  returns: [{ luaType: 'kv.DeadLetter[]?', doc: 'The letters; nil when it failed.' }, errorReturned],
  example: [
    'for _, letter in ipairs(assert(kv.dead_letters({ queue = "mails", limit = 10 }))) do',
    '  log.warn("a mail was not sent", { error = letter.error, attempts = letter.attempts })',
    'end',
  ].join('\n'),
  access: reads,
  run(use, options) {
    const { queue, limit, offset } = readOptions(options, ['queue', 'limit', 'offset'])
    const query = deadLetterQuery({
      ...(queue === undefined ? {} : { queue: readName(queue) }),
      ...(limit === undefined ? {} : { limit: limit as number }),
      ...(offset === undefined ? {} : { offset: offset as number }),
    })
    return use.queues.deadLetters(use.namespace, query).map(letterToLua)
  },
}

const requeue: KvFunction = {
  name: 'requeue',
  doc: 'Puts a dead letter back into its queue, with all its tries. Gives nil and a message when it is not there.',
  params: [{ name: 'id', type: 'any', luaType: 'string', doc: 'Field `id` of the dead letter.' }],
  returns: [{ luaType: 'string?', doc: 'The id of the message; nil when it failed.' }, errorReturned],
  example: 'local id, err = kv.requeue(letter.id)',
  access: writes,
  run(use, id) {
    const letter = messageId(readName(id, 'the id'))
    const message = requeueLetter(use, letter)
    if (message === undefined) throw new KvFailure('there is no such dead letter')
    return String(message)
  },
}

function requeueLetter(use: KvUse, letter: number): number | undefined {
  return writing(use, () => use.queues.requeue(use.namespace, letter, use.clock()))
}

function readName(value: LuaValue, what = 'the queue'): string {
  if (typeof value === 'string') return value
  throw new LuaRaise(`${what} must be a string, not ${describe(value)}`)
}

function letterToLua(letter: StoredDeadLetter): LuaObject {
  return toTable({
    id: String(letter.id),
    message_id: String(letter.messageId),
    queue: letter.queue,
    value: storedToLua(letter),
    error: letter.error,
    attempts: letter.attempts,
    created_at: letter.createdAt,
    failed_at: letter.failedAt,
  })
}
