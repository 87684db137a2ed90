import type { FastifyRequest } from 'fastify'

/** What a detail of a change can be. */
export type ChangeDetail = string | number | boolean | readonly string[]

/** Something that a request has changed, or was to change. */
export interface RecordedChange {
  /** As `<noun>.<verb>`, e.g. `plugin.reload`. */
  readonly action: string
  readonly outcome: 'success' | 'failure'
  readonly resource: { readonly type: string; readonly id?: string | undefined }
  /** What else is worth knowing; never a body, which may have credentials. */
  readonly details?: Readonly<Record<string, ChangeDetail>>
}

/** Takes notice of a change, and of who sent the request. Neither fails nor makes anybody wait. */
export type RecordChange = (request: FastifyRequest, change: RecordedChange) => void
