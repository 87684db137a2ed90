import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const idHeader = 'x-request-id'
const acceptable = /^[\w.:-]{1,64}$/

/**
 * Creates the function that names requests: what a proxy in front has called a request where that is a plain word,
 * else a text that is unique to this process and costs next to nothing. Without a request it is such a text.
 */
export function createRequestIds(): (request?: IncomingMessage) => string {
  const prefix = randomBytes(6).toString('base64url')
  let count = 0
  return (request) => {
    const given = request?.headers[idHeader]
    if (typeof given === 'string' && acceptable.test(given)) return given
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
