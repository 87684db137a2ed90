import type { FastifyRequest } from 'fastify'
import type { PluginAdministration } from '../plugins/administration.js'

/** Who calls the admin API. */
export interface AdminUser {
  /** Recorded as the one who approved, reloaded or dropped. */
  readonly username: string
  /** Only `admin` may use the admin API. */
  readonly role: string
}

/** The part of a logger that the admin API writes to; pino's order of arguments. */
export interface AdminLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What the admin API is made of. */
export interface AdminApiOptions {
  readonly administration: PluginAdministration
  /**
   * Gives the user of a request that has a bearer credential; undefined when the credential is not valid.
   * It is not asked for requests without one: cookies never open the admin API.
   */
  authenticate(request: FastifyRequest): AdminUser | undefined | Promise<AdminUser | undefined>
  readonly log: AdminLog
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
