import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { messageOf } from '../base/errors.js'
import { stageFailed } from './errors.js'
import { Exchange, type ExchangeServices } from './exchange.js'
import { refusalAtDoor } from './front-door.js'
import { createHostList, type HostList } from './host-list.js'
import { takeOutForeign } from './incoming-headers.js'
import { OutgoingAnswer } from './outgoing-answer.js'
import type { Stage, StageAnswer, StageVerdict } from './stage.js'
import { orderStages, placeOf, type StageChain, type StagePlaces } from './stage-chain.js'

/** The part of a logger that the gateway writes to. */
export interface GatewayLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface PipelineOptions extends ExchangeServices {
  /** The stages of the host. */
  readonly stages: readonly Stage[]
  /**
   * The stages of plugins at this moment: the same array as long as nothing has changed. They come behind those of
   * the host with the same priority.
   */
  readonly pluginStages?: () => readonly Stage[]
  /** What `createHostList` takes; every host is served when missing. */
  readonly hosts?: readonly string[]
  /** Places that an operator gives to stages, of the host or of plugins. None when missing. */
  readonly places?: StagePlaces
  readonly log: GatewayLog
}

/** One stage, as operators see it. */
export interface StageListing extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly priority: number
  /** What it takes part in: `request`, `answer`, `finish`. */
  readonly phases: readonly string[]
}

/** How far a request has come. */
interface Passage {
  readonly exchange: Exchange
  /** What the request goes through, also when another chain comes into force meanwhile. */
  readonly chain: StageChain
  /** Index of the next request stage. */
  next: number
  /** Index of the first request stage that has not had its turn. */
  reached: number
  /** The target that the stages before `next` were asked about. */
  target: string | undefined
  isFinished: boolean
}

/** An answer on its way through the stages. */
interface WayOut {
  readonly exchange: Exchange
  readonly stages: readonly Stage[]
  readonly answer: OutgoingAnswer
  done(error: Error | null, payload?: unknown): void
}

const passageKey = Symbol('passage')

type WithPassage = { [passageKey]?: Passage }

const noStages: readonly Stage[] = []

/** The ordered chain in front of everything that the host serves. */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #isServed: HostList
  #chain: StageChain
  #pluginStages: readonly Stage[] = noStages

  /** @throws `GATEWAY_STAGE_CYCLE` when the constraints of the stages contradict each other. */
  constructor(options: PipelineOptions) {
    this.#options = options
    this.#isServed = createHostList(options.hosts ?? [])
    this.#chain = orderStages(options.stages, options.places)
  }

  /** Adds the pipeline to an application, in front of all its routes. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => this.#enter(app, request, reply, done))
    app.addHook('onSend', (request, reply, payload, done) => {
      const passage = (request.raw as WithPassage)[passageKey]
      if (passage === undefined || passage.chain.answer.length === 0) done(null, payload)
      else this.#answer(passage, reply, payload, done)
    })
  }

  /** The chain as it stands. */
  list(): readonly StageListing[] {
    const { places = {} } = this.#options
    return this.#current().stages.map((stage) => ({
      name: stage.name,
      priority: placeOf(stage, places),
      phases: [
        ...(stage.onRequest ? ['request'] : []),
        ...(stage.onAnswer ? ['answer'] : []),
        ...(stage.onFinish ? ['finish'] : []),
      ],
      ...stage.describe?.(),
    }))
  }

  #current(): StageChain {
    const plugins = this.#options.pluginStages?.() ?? noStages
    if (plugins !== this.#pluginStages) {
      this.#pluginStages = plugins
      const { stages, places } = this.#options
      this.#chain = orderStages([...stages, ...plugins], places)
    }
    return this.#chain
  }

  #enter(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const raw = request.raw as typeof request.raw & WithPassage
    const known = raw[passageKey]
    if (known !== undefined) {
      resume(known.exchange, request, reply)
      done()
      return
    }
    const passage = {
      exchange: new Exchange(request, reply, this.#options),
      chain: this.#current(),
      next: 0,
      reached: 0,
      target: raw.url,
      isFinished: false,
    }
    raw[passageKey] = passage
    // Comes exactly once for every answer: sent, hijacked, or given up by the client.
    if (passage.chain.finish.length > 0) reply.raw.on('close', finish)
    const refusal = refusalAtDoor(raw, this.#isServed)
    if (refusal === undefined) {
      takeOutForeign(passage.exchange)
      this.#run(app, passage, done)
    } else {
      // Whoever sends such a request may have written more behind it.
      if (raw.httpVersionMajor === 1) reply.header('connection', 'close')
      sendAnswer(reply, failureAnswer(refusal))
    }
  }

  #run(app: FastifyInstance, passage: Passage, done: () => void): void {
    const { exchange, chain } = passage
    while (hasNext(passage)) {
      const stage = chain.request[passage.next] as Stage
      let verdict: StageVerdict | Promise<StageVerdict>
      try {
        verdict = ask(stage, passage)
      } catch (error) {
        this.#fail(exchange, stage, error)
        return
      }
      if (verdict === undefined) continue
      if (verdict instanceof Promise) {
        verdict.then(
          (settled) => {
            if (settled === undefined) this.#run(app, passage, done)
            else conclude(exchange, settled)
          },
          (error: unknown) => this.#fail(exchange, stage, error),
        )
        return
      }
      conclude(exchange, verdict)
      return
    }
    this.#leave(app, exchange, done)
  }

  /** All request stages have let the request pass. */
  #leave(app: FastifyInstance, exchange: Exchange, done: () => void): void {
    const { destination, reply, request } = exchange
    if (destination !== undefined) destination(exchange)
    else if (exchange.isRewritten) {
      reply.hijack()
      // One request has one id, also when it is routed twice.
      request.raw.headers['x-request-id'] = request.id
      app.routing(request.raw, reply.raw)
    } else done()
  }

  #fail({ reply, request }: Exchange, { name }: Stage, error: unknown): void {
    this.#options.log.error(
      { stage: name, request_id: request.id, error: messageOf(error) },
      'a stage of the gateway failed',
    )
    if (!reply.sent) sendAnswer(reply, failureAnswer(stageFailed({ stage: name })))
  }

  #answer({ exchange, chain }: Passage, reply: FastifyReply, payload: unknown, done: WayOut['done']): void {
    this.#answerFrom(0, { exchange, stages: chain.answer, answer: new OutgoingAnswer(reply, payload), done })
  }

  #answerFrom(start: number, way: WayOut): void {
    const { exchange, stages, answer, done } = way
    for (let at = start; at < stages.length; at += 1) {
      const stage = stages[at] as Stage
      try {
        const pending = stage.onAnswer?.(exchange, answer)
        if (pending instanceof Promise) {
          pending.then(
            () => this.#answerFrom(at + 1, way),
            (error: unknown) => {
              this.#withhold(way, stage, error)
              this.#answerFrom(at + 1, way)
            },
          )
          return
        }
      } catch (error) {
        this.#withhold(way, stage, error)
      }
    }
    done(null, answer.payload)
  }

  #withhold({ exchange, answer }: WayOut, stage: Stage, error: unknown): void {
    this.#options.log.error(
      { stage: stage.name, request_id: exchange.request.id, error: messageOf(error) },
      'a stage of the gateway failed',
    )
    const { status, body } = failureAnswer(stageFailed({ stage: stage.name }))
    answer.status = status
    answer.setHeader('content-type', 'application/json; charset=utf-8')
    answer.replaceBody(body)
  }
}

/** Whether a request stage is to be asked: where a stage has changed the target, those in front are as well. */
function hasNext(passage: Passage): boolean {
  const { url } = passage.exchange.request.raw
  if (url !== passage.target) {
    passage.target = url
    passage.next = 0
  }
  return passage.next < passage.chain.request.length
}

function ask(stage: Stage, passage: Passage): StageVerdict | Promise<StageVerdict> {
  const { exchange } = passage
  passage.next += 1
  if (passage.next <= passage.reached) return stage.onRewritten?.(exchange)
  passage.reached = passage.next
  return stage.onRequest?.(exchange)
}

function resume(exchange: Exchange, request: FastifyRequest, reply: FastifyReply): void {
  // What stages have said of the answer so far holds for the route that is found now.
  for (const [name, value] of Object.entries(exchange.reply.getHeaders())) {
    if (value !== undefined) reply.header(name, value)
  }
  exchange.request = request
  exchange.reply = reply
}

function conclude({ reply }: Exchange, verdict: StageAnswer | 'handled'): void {
  if (verdict !== 'handled') sendAnswer(reply, verdict)
}

/** Listens to responses; their requests know their passage, so that no request makes a listener of its own. */
function finish(this: ServerResponse): void {
  const passage = (this.req as WithPassage)[passageKey]
  if (passage === undefined || passage.isFinished) return
  passage.isFinished = true
  const { exchange, chain } = passage
  const { raw } = exchange.reply
  const status = raw.headersSent ? raw.statusCode : 499
  const durationMs = performance.now() - exchange.startedMs
  for (const stage of chain.finish) stage.onFinish?.(exchange, { status, durationMs })
}

/** Sends the answer of a stage. */
export function sendAnswer(reply: FastifyReply, { status, headers, body }: StageAnswer): void {
  reply.code(status)
  for (let at = 0; at + 1 < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1])
  if (body === undefined) reply.send()
  else reply.serializer((payload: unknown) => payload as string).send(body)
}

/** The answer for an expected failure, in the shape of the gateway. */
export function failureAnswer(failure: {
  readonly status: number
  readonly code: string
  readonly message: string
}): StageAnswer {
  return {
    status: failure.status,
    headers: ['content-type', 'application/json; charset=utf-8', 'cache-control', 'no-store'],
    body: JSON.stringify({ error: failure.message, code: failure.code }),
  }
}
