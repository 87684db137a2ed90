import { ClientError } from '../client-error.js'
import { type KvApi, membersOf } from './api.js'
import { type KvDuration, optionalMilliseconds, toMilliseconds } from './duration.js'
import { readEvents } from './event-stream.js'
import { checkOptions, wholeNumber } from './options.js'
import { Persistence, pause } from './persistence.js'
import { messageFromWire } from './queue-messages.js'
import { oddAnswer } from './refusal.js'
import { follow } from './subscription.js'
import type { KvLease, KvMessage } from './types.js'

export interface KvListenOptions {
  /** Name of the queue; `default` when missing. */
  readonly queue?: string
  /** `sse`, when missing, has the server send messages as they are due; `polling` asks again and again. */
  readonly mode?: 'sse' | 'polling'
  /** Pause after a poll that found nothing; 1 s when missing. */
  readonly pollInterval?: KvDuration
  /**
   * True, when missing, acknowledges a message when its handler is done, and gives it back when the handler throws.
   * With false the handler does that itself.
   */
  readonly autoAck?: boolean
  /** Messages that are handled at the same time; 1 when missing. */
  readonly concurrency?: number
  /** How long a message belongs to its handler; the server decides when missing. */
  readonly lease?: KvDuration
  /** Stops listening. */
  readonly signal?: AbortSignal
  /** Told of what handlers throw, of leases that ended too early, and of failures after which listening goes on. */
  readonly onError?: (error: Error, message?: KvMessage) => void
}

/** Works on a message. What it throws is the error that the message is given back with. */
export type KvMessageHandler = (message: KvMessage) => unknown

/** How the listener answers for a message. */
export interface MessageAnswers {
  ack(message: KvLease): Promise<boolean>
  nack(message: KvLease, error?: string): Promise<boolean>
}

const pollIntervalMs = 1000

const optionNames = ['queue', 'mode', 'pollInterval', 'autoAck', 'concurrency', 'lease', 'signal', 'onError']

/** Tries to tell the server how a message went; then its lease ends, and it is given out again. */
const answerTries = 5

/** Gives messages to a handler until the signal, and then waits for those it is at work on. */
export async function listenToQueue(
  api: KvApi,
  answers: MessageAnswers,
  handler: KvMessageHandler,
  options: KvListenOptions,
  signal: AbortSignal,
): Promise<void> {
  checkOptions(options, 'listen', optionNames)
  const concurrency = wholeNumber(options.concurrency ?? 1, 'concurrency')
  const messages = options.mode === 'polling' ? pollMessages : streamMessages
  const running = new Set<Promise<void>>()
  try {
    for await (const message of messages(api, options, signal)) {
      const work = handle(message, answers, handler, options).finally(() => running.delete(work))
      running.add(work)
      // The next message is asked for only when somebody is free for it.
      if (running.size >= concurrency) await Promise.race(running)
    }
  } finally {
    await Promise.all(running)
  }
}

async function handle(
  message: KvMessage,
  answers: MessageAnswers,
  handler: KvMessageHandler,
  { autoAck = true, onError = () => {} }: KvListenOptions,
): Promise<void> {
  let answer = () => answers.ack(message)
  try {
    await handler(message)
  } catch (thrown) {
    const error = toError(thrown)
    onError(error, message)
    answer = () => answers.nack(message, error.message)
  }
  if (!autoAck) return
  try {
    if (!(await persistently(answer))) onError(leaseEnded(message), message)
  } catch (thrown) {
    onError(toError(thrown), message)
  }
}

async function persistently(answer: () => Promise<boolean>): Promise<boolean> {
  // It goes on when listening stops: the work is done, and doing it twice is worse than waiting.
  const persistence = new Persistence(new AbortController().signal)
  for (let tries = 1; ; tries += 1) {
    try {
      return await answer()
    } catch (thrown) {
      if (tries === answerTries) throw thrown
      await persistence.pause(thrown)
    }
  }
}

async function* streamMessages(
  api: KvApi,
  options: KvListenOptions,
  signal: AbortSignal,
): AsyncGenerator<KvMessage> {
  const persistence = new Persistence(signal, options.onError)
  const { queue, concurrency } = options
  const query = { queue, concurrency, lease: optionalMilliseconds(options.lease, 'lease') }
  while (!signal.aborted) {
    const connection = new AbortController()
    const unlink = follow(signal, connection)
    let failure: unknown
    try {
      const stream = await api.stream('/queue/listen', query, connection.signal)
      for await (const { type, data } of readEvents(stream, connection.signal)) {
        persistence.succeeded()
        if (type === 'message') yield parseMessage(data)
      }
    } catch (thrown) {
      failure = thrown
    } finally {
      unlink()
      connection.abort()
    }
    await persistence.pause(failure)
  }
}

/** Takes messages one by one, as they are asked for. */
export async function* pollMessages(
  api: KvApi,
  options: Pick<KvListenOptions, 'queue' | 'lease' | 'pollInterval' | 'onError'>,
  signal: AbortSignal,
): AsyncGenerator<KvMessage> {
  const persistence = new Persistence(signal, options.onError)
  const intervalMs = toMilliseconds(options.pollInterval ?? pollIntervalMs, 'pollInterval')
  const query = { queue: options.queue, lease: optionalMilliseconds(options.lease, 'lease') }
  while (!signal.aborted) {
    let message: KvMessage | undefined
    try {
      // No signal: an answer that nobody waits for would take its message along.
      const answer = await api.object({ method: 'GET', path: '/queue/poll', query })
      message = answer.message === null ? undefined : messageFromWire(answer.message)
      persistence.succeeded()
    } catch (thrown) {
      await persistence.pause(thrown)
      continue
    }
    if (message === undefined) await pause(intervalMs, signal)
    else yield message
  }
}

function parseMessage(data: string): KvMessage {
  try {
    return messageFromWire(membersOf(JSON.parse(data)))
  } catch (thrown) {
    throw thrown instanceof SyntaxError ? oddAnswer('has a message that is not JSON') : thrown
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function leaseEnded({ id, queue }: KvMessage): ClientError {
  return new ClientError({
    status: 409,
    code: 'KV_LEASE_ENDED',
    message: `the lease of the message ${id} of the queue "${queue}" ended before its handler did, and the message is given out again; ask for a longer lease, or extend it meanwhile`,
  })
}
