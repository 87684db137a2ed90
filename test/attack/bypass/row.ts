import { rawRequest } from '../../helpers/raw-http.js'

/** One attempt to get past the rules. */
export interface Bypass {
  readonly name: string
  /** What is sent, a character a byte. */
  readonly text: string
  /** Statuses that refuse it; those of `refusals` when missing. */
  readonly statuses?: readonly number[]
  /** Where the attempt is behind requests that are answered: the statuses of all answers, in their order. */
  readonly all?: readonly number[]
  /** How many of its requests are right, and reach what is guarded; none when missing. */
  readonly runs?: number
}

/** Answers to somebody who may not: none of them tells what is there. */
export const refusals: readonly number[] = [400, 401, 403, 404, 405]

/** Puts one request together that the connection ends with. */
export function single(target: string, headers: readonly string[] = [], method = 'GET', body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  return rawRequest(
    `${method} ${target}`,
    ['Host: host.example', ...headers, ...length, 'Connection: close'],
    body,
  )
}

/** The same on a connection that stays open. */
export function kept(target: string, headers: readonly string[] = [], method = 'GET'): string {
  return rawRequest(`${method} ${target}`, ['Host: host.example', ...headers])
}

export const bearer = (token: string): readonly string[] => [`Authorization: Bearer ${token}`]
