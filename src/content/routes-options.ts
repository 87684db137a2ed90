import type { FastifyRequest } from 'fastify'
import type { AreaUser } from '../areas/user.js'
import type { ContentService } from './content-service.js'
import type { HookIdentity, HookRunner } from './hook-runner.js'

/** What the routes of the content are made of. */
export interface ContentRoutesOptions {
  readonly content: ContentService
  /** Runs the read hooks around deliveries. */
  readonly hooks: HookRunner
  /** Gives the user of a request; undefined for somebody who has not proved who they are. */
  authenticate(request: FastifyRequest): AreaUser | undefined | Promise<AreaUser | undefined>
  /** Says who the user of a request is, for hooks; they learn no more than the name when missing. */
  identityOf?(request: FastifyRequest): HookIdentity | undefined
  /** Takes the credentials of the host out of headers in the form name, value, name, value. */
  stripCredentials(rawHeaders: readonly string[]): readonly string[]
  /** Address of the caller, without the port. */
  clientIp(request: FastifyRequest): string
  /** Takes a token of the bucket of an address, for deliveries; false means that it is empty. */
  takeToken(clientIp: string): boolean
  /** Tells whether a read hook may set a header to a value. */
  isHeaderAllowed(name: string, value: string): boolean
  /** Where failures are written that callers must not read; pino's loggers fit. */
  readonly log: {
    error(fields: Readonly<Record<string, unknown>>, message: string): void
  }
}
