/** Options that accompany a raised `HostError`. */
export interface HostErrorOptions {
  /** What went wrong underneath; logged, never sent to a client. */
  readonly cause?: unknown
  /** Facts a client may see. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Seconds after which a client may try again; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number
}

/** An expected failure with a stable code, an HTTP status and a sentence for its reader. */
export class HostError extends Error {
  readonly code: string
  readonly status: number
  readonly details: Readonly<Record<string, unknown>> | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: string, status: number, message: string, options: HostErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HostError'
    this.code = code
    this.status = status
    this.details = options.details
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Makes a `HostError` for one line of an error table. */
export type ErrorFactory = (
  values?: Readonly<Record<string, string | number>>,
  options?: HostErrorOptions,
) => HostError

/**
 * Declares one line of a folder's error table.
 *
 * @param code Stable machine-readable code; never renamed or reused.
 * @param status HTTP status that the code answers with.
 * @param template Sentence in which `{name}` is replaced by the value of that name.
 */
export function defineError(code: string, status: number, template: string): ErrorFactory {
  return (values = {}, options = {}) => {
    const message = template.replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    )
    return new HostError(code, status, message, options)
  }
}

/** Gives the text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
