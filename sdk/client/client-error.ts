/** Facts of a failed request. */
export interface ClientErrorFacts {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly requestId?: string | undefined
  readonly problems?: readonly string[] | undefined
  readonly cause?: unknown
}

/**
 * A request that did not succeed. `status` is the HTTP status, or 0 when no answer came; `code` is the server's
 * code, or one of `SERVER_UNREACHABLE`, `REQUEST_TIMEOUT`, `INVALID_RESPONSE`, `INVALID_URL` and `INVALID_TOKEN` of the client.
 */
export class ClientError extends Error {
  readonly status: number
  readonly code: string
  /** Finds the line in the server's log; undefined when the server named none. */
  readonly requestId: string | undefined
  /** One sentence for each part that was refused while the others were applied; mostly empty. */
  readonly problems: readonly string[]

  constructor(facts: ClientErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'ClientError'
    this.status = facts.status
    this.code = facts.code
    this.requestId = facts.requestId
    this.problems = facts.problems ?? []
  }
}
