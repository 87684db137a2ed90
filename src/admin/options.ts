import type { FastifyRequest } from 'fastify'
import type { RecordChange } from '../areas/recorded-change.js'
import type { AreaUser } from '../areas/user.js'
import type { AccessReport, MatchReport } from '../auth/access-report.js'
import type { PluginAdministration } from '../plugins/administration.js'
import type { HookAdministration } from '../plugins/hooks/hook-administration.js'
import type { DomainBreakerView } from '../plugins/outbound-breakers.js'

/** The part of a logger that the admin API writes to; pino's order of arguments. */
export interface AdminLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What admins can do about the requests that plugins send to other servers. */
export interface OutboundAdministration {
  /** Breakers that remember failures. */
  breakers(): readonly DomainBreakerView[]
  /** Closes one; false when nothing kept the plugin from asking the domain. */
  resetBreaker(plugin: string, domain: string): boolean
}

/** What admins can see of who may do what. */
export interface AuthAdministration {
  /** The rules, whom they name, and what an operator may not have meant. */
  status(): AccessReport
  /**
   * Tells what would be asked about a request, asking nobody.
   *
   * @param target Path as a client sends it.
   */
  match(method: string, target: string): MatchReport
}

/** What the admin API is made of. */
export interface AdminApiOptions {
  readonly administration: PluginAdministration
  /** Deliveries of after-hooks, and breakers of hooks. */
  readonly hooks: HookAdministration
  /** Without it the operations on outbound requests do not exist. */
  readonly outbound?: OutboundAdministration
  /** Gives the user of a request; undefined for somebody who has not proved who they are. */
  authenticate(request: FastifyRequest): AreaUser | undefined | Promise<AreaUser | undefined>
  readonly log: AdminLog
  /** Without it the operations on who may do what do not exist. */
  readonly auth?: AuthAdministration
  /** Gets each change; nobody does when missing. */
  readonly record?: RecordChange
  /** Gives all metrics; without it there is no `GET /metrics`. */
  readonly metrics?: () => Promise<readonly AdminMetric[]>
}

/** One metric with its numbers. */
export interface AdminMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  /** Upper bounds of the buckets of a histogram. */
  readonly bounds?: readonly number[]
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
    readonly sum?: number
    readonly counts?: readonly number[]
  }[]
}
