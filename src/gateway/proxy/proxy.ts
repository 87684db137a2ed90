import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HostError } from '../../base/errors.js'
import { proxyLimits } from '../../base/limits/gateway.js'
import type { CoreDatabase } from '../../database/database.js'
import { anonymous, type Identity } from '../../identity/identity.js'
import type { Exchange } from '../exchange.js'
import { failureAnswer, type GatewayLog, sendAnswer } from '../pipeline.js'
import { type Stage, type StageVerdict, stagePriorities } from '../stage.js'
import { pathRefused, proxyLoop, upgradeRefused } from './errors.js'
import type { HostWords } from './forwarded-headers.js'
import { type ForwarderOptions, forward } from './http-forwarder.js'
import { listsRoute } from './route-globs.js'
import { RuleBook } from './rule-book.js'
import type { ActiveRule } from './rule-reader.js'
import { RuleStore } from './rule-store.js'
import { TargetPolicy } from './target-policy.js'
import { Tunnels } from './tunnels.js'
import { upgradeOf } from './upgrade.js'
import { UpstreamClient } from './upstream-client.js'
import { upstreamPath } from './upstream-target.js'

/** How a proxy is made. */
export interface ProxyOptions {
  /** Holds the rules that admins add. */
  readonly database: CoreDatabase
  readonly log: GatewayLog
  /** Rules of the configuration: the fields of a rule, in their order. None when missing. */
  readonly rules?: readonly unknown[]
  /** Hosts, addresses and CIDR blocks that rules may lead to; any when missing or empty. */
  readonly allowTargets?: readonly string[]
  /** Paths that no rule takes, so that no rule shuts admins out. None when missing. */
  readonly isReserved?: (path: string) => boolean
  /** Who sends a request, for rules that tell their targets; nobody known when missing. */
  readonly identityOf?: (request: FastifyRequest) => Identity
  /** Each defaults to the value of the same name in `proxyLimits`. */
  readonly connectMs?: number
  readonly headersMs?: number
  readonly bodyIdleMs?: number
  readonly tunnelIdleMs?: number
  readonly tunnelsMax?: number
}

/** Sends requests to other servers, by rules. */
export class GatewayProxy {
  readonly rules: RuleBook
  /** Decides early which rule takes a request; it is sent when all other stages have let it pass. */
  readonly stage: Stage
  readonly #options: ProxyOptions
  readonly #client: UpstreamClient
  readonly #tunnels: Tunnels
  /** Other processes have other names, so that a chain of them is no loop. */
  readonly #pseudonym = `modulacms-${randomBytes(6).toString('hex')}`
  readonly #forwarder: ForwarderOptions

  /** Use `createProxy`. */
  constructor(options: ProxyOptions) {
    const { database, log, rules = [], allowTargets = [] } = options
    const policy = new TargetPolicy(allowTargets)
    this.#options = options
    this.rules = new RuleBook({ rules, store: new RuleStore(database), policy, log })
    this.#client = new UpstreamClient(policy, { ...proxyLimits, ...options })
    const words: HostWords = { via: `1.1 ${this.#pseudonym}`, identityOf: options.identityOf ?? nobody }
    this.#tunnels = new Tunnels({ ...proxyLimits, ...options, lookup: policy.lookup, words, log })
    this.#forwarder = { client: this.#client, words, log }
    this.stage = {
      name: 'proxy',
      priority: stagePriorities.proxy,
      describe: () => ({ rules: this.rules.active.length, tunnels: this.tunnels }),
      onRequest: (exchange) => this.#decide(exchange),
      // What stages in front of the target decide about is what it gets.
      onRewritten: (exchange) => {
        exchange.destination = undefined
        return this.#decide(exchange)
      },
    }
  }

  /** WebSockets that are open or being opened. */
  get tunnels(): number {
    return this.#tunnels.size
  }

  /** Lets the connections of the proxy end with an application. */
  install(app: FastifyInstance): void {
    app.addHook('preClose', (done) => {
      this.#tunnels.close()
      done()
    })
    app.addHook('onClose', () => this.#client.close())
  }

  /**
   * Tells whether the rule that takes this path lists it as public; so has the one to that takes its WebSockets, where
   * that is another.
   *
   * @param path As the router reads it.
   * @param method In capitals.
   */
  isPublic(path: string, method: string): boolean {
    const lists = ({ rule: { publicRoutes }, find }: ActiveRule): boolean =>
      publicRoutes !== undefined && Array.isArray(find(path)) && listsRoute(publicRoutes, path, method)
    const taking = this.rules.active.filter(({ rule, find }) => rule.enabled && find(path) !== null)
    const [first] = taking
    const ofSockets = taking.find(({ rule }) => rule.ws)
    return first !== undefined && lists(first) && (ofSockets === undefined || lists(ofSockets))
  }

  #decide(exchange: Exchange): StageVerdict {
    const upgrade = upgradeOf(exchange.request.raw)
    try {
      const found = this.#find(exchange, upgrade !== undefined)
      if (found !== undefined) this.#send(exchange, found)
      else if (upgrade !== undefined) {
        exchange.destination = ({ reply }) => sendAnswer(reply, failureAnswer(upgradeRefused()))
      }
      return undefined
    } catch (error) {
      if (error instanceof HostError) return failureAnswer(error)
      throw error
    }
  }

  #find(exchange: Exchange, isUpgrade: boolean): Found | undefined {
    const { path, method } = exchange
    if (method === 'TRACE' || this.#options.isReserved?.(path)) return undefined
    for (const active of this.rules.active) {
      if (!active.rule.enabled || (isUpgrade && !active.rule.ws)) continue
      const groups = active.find(path)
      if (groups === 'late') {
        this.#options.log.warn({ rule: active.rule.id }, 'the pattern of a rule of the proxy took too long')
        throw pathRefused()
      }
      if (groups !== null) return { active, groups }
    }
    return undefined
  }

  #send(exchange: Exchange, { active, groups }: Found): void {
    if (exchange.header('via')?.includes(this.#pseudonym)) throw proxyLoop()
    const path = upstreamPath(active.target, exchange.request.raw.url ?? '/', active.rule.rewrite, groups)
    exchange.destination = (passed) => {
      try {
        if (upgradeOf(passed.request.raw) !== undefined) this.#tunnels.open(passed, active, path)
        else forward(passed, active, path, this.#forwarder)
      } catch (error) {
        if (!(error instanceof HostError)) throw error
        sendAnswer(passed.reply, failureAnswer(error))
      }
    }
  }
}

const nobody = (): Identity => anonymous

interface Found {
  readonly active: ActiveRule
  readonly groups: readonly (string | undefined)[]
}

/**
 * Creates the proxy with its stored rules.
 *
 * @throws `PROXY_…` for a rule of the configuration or an allowed target that cannot be used; `DATABASE_BUSY`.
 */
export async function createProxy(options: ProxyOptions): Promise<GatewayProxy> {
  const proxy = new GatewayProxy(options)
  await proxy.rules.refresh()
  return proxy
}
