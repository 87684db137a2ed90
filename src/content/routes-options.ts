import type { FastifyRequest } from 'fastify'
import type { ContentService } from './content-service.js'
import type { HookRunner } from './hook-runner.js'

/** Who calls the content API. */
export interface ContentUser {
  /** Becomes the author of rows and the actor of change events. */
  readonly username: string
  /** Only `admin` may write, and read what is not published. */
  readonly role: string
}

/** What the routes of the content are made of. */
export interface ContentRoutesOptions {
  readonly content: ContentService
  /** Runs the read hooks around deliveries. */
  readonly hooks: HookRunner
  /**
   * Gives the user of a request that has a bearer credential; undefined when the credential is not valid. It is not
   * asked for requests without one, nor for deliveries, which are public.
   */
  authenticate(request: FastifyRequest): ContentUser | undefined | Promise<ContentUser | undefined>
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
