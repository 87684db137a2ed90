import type { Exchange } from '../exchange.js'
import { ExchangeNote } from '../exchange-note.js'
import { OutgoingAnswer } from '../outgoing-answer.js'
import { failureAnswer } from '../pipeline.js'
import { upgradeOf } from '../proxy/upgrade.js'
import { type Stage, type StageAnswer, stagePriorities } from '../stage.js'
import { upgradeOriginRefused } from './errors.js'
import { addToVary, readRequestedHeaders } from './header-names.js'
import type { CorsRule } from './rule.js'
import type { RuleSelection } from './rule-selection.js'

export interface CorsStageOptions {
  /** The rules at this moment. */
  readonly selection: () => RuleSelection
  /** Whether the gateway answers preflights for which this rule is chosen. */
  readonly answersPreflights: (rule: CorsRule) => boolean
  /** For operators. */
  readonly rulesCount: () => number
}

/** What holds for the answer to one request, whatever changes until it is sent. */
interface Decision {
  readonly origin: string
  readonly rule: CorsRule | undefined
  readonly variesByOrigin: boolean
}

/**
 * Creates the stage `cors`. It sets headers as soon as it sees a request, for answers that are written past the answer
 * stages, and again when an answer is about to be sent, over what the application behind has set.
 */
export function createCorsStage(options: CorsStageOptions): Stage {
  const decisions = new ExchangeNote<Decision>()

  function decide(exchange: Exchange, origin: string): Decision {
    const known = decisions.of(exchange)
    if (known !== undefined) return known
    const { select, dependsOnOrigin } = options.selection()
    const decision = { origin, rule: select(origin), variesByOrigin: dependsOnOrigin }
    decisions.set(exchange, decision)
    return decision
  }

  return {
    name: 'cors',
    priority: stagePriorities.gateway,
    after: ['shell'],
    describe: () => ({ rulesCount: options.rulesCount() }),
    onRequest(exchange) {
      const origin = exchange.header('origin')
      if (origin === undefined) return undefined
      const decision = decide(exchange, origin)
      const early = new OutgoingAnswer(exchange.reply, undefined)
      setHeaders(early, decision)
      const { rule } = decision
      // No preflight goes before a WebSocket, and no browser asks whether its page may read it.
      if (rule === undefined && options.rulesCount() > 0 && isUpgradeOfOther(exchange, origin)) {
        return failureAnswer(upgradeOriginRefused())
      }
      const isAnswered = rule !== undefined && isPreflight(exchange) && options.answersPreflights(rule)
      return isAnswered ? preflightAnswer(exchange, early, rule) : undefined
    },
    onAnswer(exchange, answer) {
      const origin = exchange.header('origin')
      if (origin !== undefined) setHeaders(answer, decide(exchange, origin))
      else if (options.selection().dependsOnOrigin) vary(answer, 'Origin')
    },
  }
}

function isUpgradeOfOther(exchange: Exchange, origin: string): boolean {
  if (upgradeOf(exchange.request.raw) === undefined) return false
  const host = exchange.header('host')?.toLowerCase()
  return host === undefined || (origin !== `https://${host}` && origin !== `http://${host}`)
}

function isPreflight(exchange: Exchange): boolean {
  return exchange.method === 'OPTIONS' && exchange.header('access-control-request-method') !== undefined
}

/** What the application says stays only where no rule is chosen. */
function setHeaders(answer: OutgoingAnswer, { origin, rule, variesByOrigin }: Decision): void {
  if (variesByOrigin) vary(answer, 'Origin')
  if (rule === undefined) return
  // Without credentials, a rule for everybody answers everybody alike.
  answer.setHeader('access-control-allow-origin', rule.origins.includes('*') ? '*' : origin)
  put(answer, 'access-control-allow-credentials', rule.credentials ? 'true' : '')
  put(answer, 'access-control-expose-headers', rule.exposedHeaders.join(', '))
}

function put(answer: OutgoingAnswer, name: string, value: string): void {
  if (value === '') answer.removeHeader(name)
  else answer.setHeader(name, value)
}

function vary(answer: OutgoingAnswer, name: string): void {
  const before = answer.header('vary')
  const after = addToVary(before, name)
  if (after !== before) answer.setHeader('vary', after)
}

/** The headers for any answer are set already. */
function preflightAnswer(exchange: Exchange, early: OutgoingAnswer, rule: CorsRule): StageAnswer {
  const headers = ['access-control-allow-methods', rule.methods.join(', ')]
  if (rule.allowedHeaders.length === 0) vary(early, 'Access-Control-Request-Headers')
  const allowed =
    rule.allowedHeaders.length > 0
      ? rule.allowedHeaders.join(', ')
      : readRequestedHeaders(exchange.header('access-control-request-headers'))
  if (allowed !== undefined) headers.push('access-control-allow-headers', allowed)
  headers.push('access-control-max-age', String(rule.maxAge))
  return { status: 204, headers, body: undefined }
}
