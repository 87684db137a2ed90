import type { FastifyRequest } from 'fastify'
import { requestUnreadable } from './routes-failures.js'

/** What a client sent to change a row. */
export interface ReadBody {
  readonly columns: Readonly<Record<string, unknown>>
  /** Version that the change was made for; undefined when the client did not say. */
  readonly version: number | undefined
}

/**
 * Reads the columns of a body, and the version of the row from `version` or `If-Match`.
 *
 * @throws HostError INVALID_REQUEST when the body is no object, or the version cannot be read or is given twice.
 */
export function readBody(request: FastifyRequest): ReadBody {
  const body: unknown = request.body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw requestUnreadable({
      problem: 'The body must be a JSON object of columns, sent as application/json.',
    })
  }
  const { version: given, ...columns } = body as Readonly<Record<string, unknown>>
  if (given !== undefined && !isVersion(given)) {
    throw requestUnreadable({ problem: 'version must be a number from 1 on.' })
  }
  const matched = matchedVersion(request)
  if (given !== undefined && matched !== undefined && given !== matched) {
    throw requestUnreadable({ problem: 'version and If-Match name different versions; send one of them.' })
  }
  return { columns, version: (given as number | undefined) ?? matched }
}

/**
 * Reads the version of `If-Match`: what `ETag` of the row said, or the bare number; `*` stands for any.
 *
 * @throws HostError INVALID_REQUEST for anything else.
 */
export function matchedVersion({ headers }: Pick<FastifyRequest, 'headers'>): number | undefined {
  const text = headers['if-match']?.trim()
  if (text === undefined || text === '*') return undefined
  const digits = /^(?:W\/)?"(\d{1,15})"$|^(\d{1,15})$/.exec(text)
  const version = Number(digits?.[1] ?? digits?.[2] ?? Number.NaN)
  if (isVersion(version)) return version
  throw requestUnreadable({ problem: 'If-Match must be one version in quotes, as ETag of the row gives it.' })
}

/** Writes the version of a row as `ETag`. */
export function versionTag(version: unknown): string {
  return `"${version}"`
}

function isVersion(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1
}
