import { defineError } from '../base/errors.js'

/** The request did not arrive in `server.headersTimeout` or `server.requestTimeout`. */
export const requestLate = defineError(
  'REQUEST_TIMEOUT',
  408,
  'The request took too long to arrive; send it faster, or in smaller parts.',
)

/** The head of the request is larger than `server.maxHeaderSize`, or has more headers than one request may have. */
export const headersTooLarge = defineError(
  'HEADERS_TOO_LARGE',
  431,
  'The headers of the request are too large or too many; the limits are {bytes} bytes and {count} headers.',
)

/** Path and query are longer than `server.maxUrlLength`. */
export const urlTooLong = defineError(
  'URL_TOO_LONG',
  414,
  'Path and query of the request are longer than {max} characters; send what is long in a body.',
)

/** The query has more parameters than `server.maxQueryParameters`. */
export const parametersTooMany = defineError(
  'TOO_MANY_PARAMETERS',
  400,
  'The query of the request has more than {max} parameters; send them in a body.',
)

/** What came is no HTTP request. */
export const requestMalformed = defineError(
  'REQUEST_MALFORMED',
  400,
  'What was sent cannot be read as an HTTP request.',
)

/** The client asked for a tunnel with the method `CONNECT`. */
export const tunnelRefused = defineError(
  'METHOD_NOT_ALLOWED',
  405,
  'The host leads no connections elsewhere: CONNECT is not served.',
)

/** There are `server.maxConnections` already. */
export const connectionsFull = defineError(
  'CONNECTIONS_EXHAUSTED',
  503,
  'The server has as many connections as it takes; try again later, and keep fewer open.',
)

/** One address has `server.maxConnectionsPerAddress` already. */
export const addressFull = defineError(
  'CONNECTIONS_EXHAUSTED',
  503,
  'This address has as many connections as one may have; use those that are open, or close some.',
)
