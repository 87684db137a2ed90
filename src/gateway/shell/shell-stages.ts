import type { Exchange } from '../exchange.js'
import { ExchangeNote } from '../exchange-note.js'
import type { OutgoingAnswer } from '../outgoing-answer.js'
import type { GatewayLog } from '../pipeline.js'
import { isBelow } from '../request-path.js'
import { type Stage, type StageAnswer, type StageVerdict, stagePriorities } from '../stage.js'
import { basenameOf } from './basenames.js'
import type { HostTable } from './host-table.js'
import type { ShellExcludes } from './shell-excludes.js'
import type { ShellSite } from './shell-site.js'

/** What the stages of the shell are made of. */
export interface ShellStagesOptions {
  readonly sites: HostTable<ShellSite>
  readonly excludes: ShellExcludes
  /** Paths that never get the shell, with everything below them. */
  readonly apiPrefixes: readonly string[]
  /** Decides whether a request that the shell would answer may be; all may when missing. */
  readonly admit?: Admit | undefined
  readonly log: GatewayLog
}

/** Gives what a request is refused with; undefined for one that may pass. */
export type Admit = (exchange: Exchange) => StageVerdict | Promise<StageVerdict>

/** Places in a page that show another page: they get the app itself, never the shell. */
const frameKinds: ReadonlySet<string> = new Set(['iframe', 'frame', 'embed', 'object', 'fencedframe'])

/** Behind all other stages: what nobody else wants. */
const lastPriority = 1_000_000

/**
 * Creates the two stages: `shell` answers page loads and requests for files at the root of the build, `shell-files`
 * serves the other files of the build where no route has their path. Routes come first there, as the files of apps and
 * of the shell share the paths.
 */
export function createShellStages(options: ShellStagesOptions): readonly Stage[] {
  const router = new ShellRouter(options)
  return [
    {
      name: 'shell',
      priority: stagePriorities.gateway,
      after: ['authn'],
      before: ['cors', 'rate-limit', 'cache'],
      onRequest: (exchange) => router.enter(exchange),
      onAnswer: (exchange, answer) => router.vary(exchange, answer),
    },
    { name: 'shell-files', priority: lastPriority, onRequest: (exchange) => router.fallBack(exchange) },
  ]
}

class ShellRouter {
  readonly #options: ShellStagesOptions
  readonly #served = new ExchangeNote<true>()

  constructor(options: ShellStagesOptions) {
    this.#options = options
  }

  enter(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    const site = this.#siteFor(exchange)
    if (site === undefined) return undefined
    const { path } = exchange
    if (isDocument(exchange) || path === '/') return this.#admitted(exchange, site.page(exchange))
    return path.includes('/', 1) ? undefined : this.#admitted(exchange, site.file(exchange))
  }

  /** The shell stands in front of `authz`, which sees nothing of what is answered here. */
  async #admitted(exchange: Exchange, answering: Promise<StageAnswer | undefined>): Promise<StageVerdict> {
    const verdict = await this.#serve(exchange, answering)
    if (verdict === undefined) return undefined
    return (await this.#options.admit?.(exchange)) ?? verdict
  }

  fallBack(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    const { destination, isRewritten, request } = exchange
    if (destination !== undefined || isRewritten || !request.is404) return undefined
    const site = this.#siteFor(exchange)
    return site === undefined ? undefined : this.#serve(exchange, site.file(exchange))
  }

  /** Tells caches on the way on what it depended who answers. */
  vary(exchange: Exchange, answer: OutgoingAnswer): void {
    const isServed = this.#served.of(exchange) === true
    if (!isServed && this.#candidate(exchange) === undefined) return
    const names = isServed || isDocument(exchange) ? ['Sec-Fetch-Dest', 'Cookie'] : ['Sec-Fetch-Dest']
    const given = (answer.header('vary') ?? '').split(',').map((name) => name.trim())
    if (given.includes('*')) return
    const missing = names.filter((name) => !given.some((other) => other.toLowerCase() === name.toLowerCase()))
    if (missing.length > 0) answer.setHeader('vary', [...given.filter(Boolean), ...missing].join(', '))
  }

  async #serve(exchange: Exchange, answering: Promise<StageAnswer | undefined>): Promise<StageVerdict> {
    const answer = await answering
    if (answer === undefined) return undefined
    this.#served.set(exchange, true)
    const { method, path } = exchange
    this.#options.log.debug(
      { method, path, status: answer.status, destination: exchange.header('sec-fetch-dest') },
      'the shell answers',
    )
    return answer
  }

  /** The shell that may answer this request. */
  #siteFor(exchange: Exchange): ShellSite | undefined {
    if (isFramed(exchange)) return undefined
    const site = this.#candidate(exchange)
    if (site === undefined) return undefined
    const isExcluded = this.#options.excludes.hasFor(exchange.header('cookie'), basenameOf(exchange.path))
    return isExcluded ? undefined : site
  }

  /** The shell that answers this path to some requests, now or once an exclude is removed. */
  #candidate(exchange: Exchange): ShellSite | undefined {
    const { method, path } = exchange
    if (method !== 'GET' && method !== 'HEAD') return undefined
    const { apiPrefixes, excludes, sites } = this.#options
    if (apiPrefixes.some((prefix) => isBelow(path, prefix))) return undefined
    if (excludes.environment.has(basenameOf(path))) return undefined
    return sites.find(exchange.header('host'))
  }
}

function isDocument(exchange: Exchange): boolean {
  return exchange.header('sec-fetch-dest') === 'document'
}

function isFramed(exchange: Exchange): boolean {
  return frameKinds.has(exchange.header('sec-fetch-dest') ?? '')
}
