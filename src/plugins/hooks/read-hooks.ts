import { messageOf } from '../../base/errors.js'
import { responseHeaderLimits } from '../../base/limits/plugins.js'
import type { ReadHookEvent } from '../../capabilities/hooks/events.js'
import { decodeReadOpinion, type ReadOpinion } from '../../capabilities/hooks/wire.js'
import type { HookContext, HookedRead, HookRow, ReadVerdict } from '../../content/hook-runner.js'
import { factsOf, type HookParts } from './before-hooks.js'
import { hookRequestId } from './hook-caller.js'
import { encodeHookData } from './hook-data.js'
import type { HookEntry } from './hook-index.js'

/** The table whose published entries are delivered. */
const deliveredTable = 'content_data'

/** Runs the hooks around the delivery of content. What fails is skipped: nobody goes without the content. */
export class ReadHooks {
  readonly #parts: HookParts

  constructor(parts: HookParts) {
    this.#parts = parts
  }

  /** Runs the hooks in front, until one answers. Each sees the state that the ones before have left. */
  async before(read: HookedRead, context: HookContext): Promise<ReadVerdict> {
    let state: HookRow = {}
    const answered = await this.#each('before_read', read, context, {
      state: () => state,
      heard: (opinion) => {
        state = JSON.parse(opinion.state) as HookRow
        return opinion.status === 0 ? undefined : toAnswer(opinion)
      },
    })
    return { answer: answered, state }
  }

  /** Runs the hooks behind; of two headers of one name the later hook's counts. */
  async after(
    read: HookedRead,
    state: HookRow,
    context: HookContext,
  ): Promise<Readonly<Record<string, string>>> {
    const added = emptyHeaders()
    await this.#each('after_read', read, context, {
      state: () => state,
      heard: ({ headers }) => {
        for (const [name, value] of Object.entries(toHeaders(headers))) {
          if (name in added || Object.keys(added).length < responseHeaderLimits.countMax) added[name] = value
        }
        return undefined
      },
    })
    return added
  }

  async #each<Answer>(
    event: ReadHookEvent,
    read: HookedRead,
    context: HookContext,
    listener: { state(): HookRow; heard(opinion: ReadOpinion): Answer | undefined },
  ): Promise<Answer | undefined> {
    const { index, breakers, limits, log } = this.#parts
    const endMs = performance.now() + limits.eventTimeoutMs
    for (const entry of index.matching(event, deliveredTable)) {
      if (breakers.isOpen(entry)) continue
      const leftMs = endMs - performance.now()
      if (leftMs < 1) {
        log.warn(factsOf(entry, context), 'read hooks were skipped: those before took all the time')
        return undefined
      }
      try {
        const opinion = await this.#call(entry, dataOf(entry, read, listener.state()), context, leftMs)
        const answer = opinion === undefined ? undefined : listener.heard(opinion)
        if (answer !== undefined) return answer
      } catch (error) {
        log.warn({ ...factsOf(entry, context), error: messageOf(error) }, 'a read hook was skipped')
      }
    }
    return undefined
  }

  async #call(
    entry: HookEntry,
    json: string,
    context: HookContext,
    leftMs: number,
  ): Promise<ReadOpinion | undefined> {
    const { breakers, caller, limits, log } = this.#parts
    const outcome = await caller.call(entry, {
      phase: 'read_hook',
      json,
      requestId: hookRequestId(context.requestId, context.depth),
      timeoutMs: Math.min(limits.hookTimeoutMs, leftMs),
      operationsMax: limits.operationsMax,
    })
    if (outcome.kind === 'done') {
      breakers.succeeded(entry)
      return decodeReadOpinion(outcome.result)
    }
    const { code, message } = outcome.failure
    const isOwnFault = outcome.kind === 'failed' && (code !== 'TIMEOUT' || leftMs >= limits.hookTimeoutMs)
    if (isOwnFault) breakers.failed(entry)
    log.warn({ ...factsOf(entry, context), code, error: message }, 'a read hook was skipped')
    return undefined
  }
}

function dataOf({ hook }: HookEntry, { slug, headers, query, clientIp }: HookedRead, state: HookRow): string {
  const asked = { slug, headers, query, client_ip: clientIp }
  return encodeHookData(state, { ...asked, _event: hook.event, _table: deliveredTable })
}

function toAnswer({ status, headers, json }: ReadOpinion): NonNullable<ReadVerdict['answer']> {
  return { status, headers: toHeaders(headers), json: json === undefined ? undefined : JSON.parse(json) }
}

function emptyHeaders(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

function toHeaders(pairs: readonly string[]): Readonly<Record<string, string>> {
  const headers = emptyHeaders()
  for (let at = 0; at < pairs.length; at += 2) headers[pairs[at] as string] = pairs[at + 1] as string
  return headers
}
