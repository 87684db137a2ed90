import { defineError } from '../base/errors.js'

/** Raised for an entry of the trusted proxies that is no address or CIDR block. */
export const trustedProxyInvalid = defineError(
  'TRUSTED_PROXY_INVALID',
  500,
  'The trusted proxy "{entry}" is not an IP address or CIDR block; write e.g. "10.0.0.0/8", "192.0.2.7" or "fd00::/8".',
)

/** Raised at start when `after` and `before` of stages contradict each other. */
export const stageCycle = defineError(
  'GATEWAY_STAGE_CYCLE',
  500,
  'The stages {stages} wait for each other; take one of their "after" or "before" out.',
)

/** A stage could not decide about a request. */
export const stageFailed = defineError(
  'GATEWAY_STAGE_FAILED',
  503,
  'The stage {stage} of the gateway failed; the log has the reason under the request id.',
)

/** The target of a request can be read in two ways. */
export const targetAmbiguous = defineError(
  'INVALID_PATH',
  400,
  'The path has dot segments, a backslash or a fragment, or is no path; send one that begins with "/" and has none.',
)

/** A method that no server should answer. */
export const methodNotAllowed = defineError(
  'METHOD_NOT_ALLOWED',
  405,
  'The method {method} is not served here; it would show a request to whoever asks, or lead elsewhere.',
)

/** A request names two hosts, and a server behind could take the other one. */
export const hostRepeated = defineError(
  'HOST_REPEATED',
  400,
  'The request has several Host headers; send one.',
)

/** A request in a version of HTTP that is not spoken here. */
export const versionUnknown = defineError(
  'HTTP_VERSION_UNKNOWN',
  505,
  'HTTP/{version} is not spoken here; send HTTP/1.1.',
)

/** The body of a request is sent in a way that servers behind would not be told of. */
export const framingUnknown = defineError(
  'TRANSFER_ENCODING_UNKNOWN',
  501,
  'The Transfer-Encoding of the request is not understood; send "chunked" alone, with HTTP/1.1.',
)

/** A request is for a host that is not in `gateway.hosts`, e.g. as a page has another name lead here. */
export const hostNotServed = defineError(
  'HOST_NOT_SERVED',
  421,
  'The host {host} is not served here; ask for a name or an address that gateway.hosts lists.',
)

/** Raised for an entry of a list of paths that names no paths. */
export const pathPatternInvalid = defineError(
  'GATEWAY_PATH_PATTERN_INVALID',
  400,
  'The path entry "{entry}" cannot be used: {problem}. Write a path such as "/health", a glob such as "/public/**", or a regular expression such as "/v[0-9]+/status".',
)
