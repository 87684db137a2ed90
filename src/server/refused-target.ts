import type { IncomingMessage } from 'node:http'
import type { HostError } from '../base/errors.js'
import { serverLimits } from '../base/limits/server.js'
import { headersTooLarge, parametersTooMany, urlTooLong } from './errors.js'
import type { RefusalReason } from './refusals.js'
import type { ServerSettings } from './settings.js'

/** Says why a request is refused for the size of its head; undefined when it may come in. */
export function refuseTarget(
  { url = '', rawHeaders }: IncomingMessage,
  { maxUrlLength, maxQueryParameters, maxHeaderSize }: ServerSettings,
): { readonly reason: RefusalReason; readonly error: HostError } | undefined {
  if (url.length > maxUrlLength) return { reason: 'url_too_long', error: urlTooLong({ max: maxUrlLength }) }
  if (countParameters(url, maxQueryParameters) > maxQueryParameters) {
    return { reason: 'too_many_parameters', error: parametersTooMany({ max: maxQueryParameters }) }
  }
  const { headersMax } = serverLimits
  if (rawHeaders.length / 2 <= headersMax) return undefined
  const error = headersTooLarge({ bytes: maxHeaderSize, count: headersMax })
  return { reason: 'headers_too_large', error }
}

/** Counts the parameters of a query; stops at one more than are allowed. */
function countParameters(url: string, max: number): number {
  const query = url.indexOf('?')
  if (query < 0) return 0
  let count = 1
  for (let at = url.indexOf('&', query); at >= 0 && count <= max; at = url.indexOf('&', at + 1)) count += 1
  return count
}
