/**
 * Why a request has no response.
 *
 * `busy` and `canceled` say nothing of the other server; all others do.
 */
export type OutboundFailureKind =
  | 'address_blocked'
  | 'busy'
  | 'canceled'
  | 'dns'
  | 'refused'
  | 'response_too_large'
  | 'response_unreadable'
  | 'timeout'
  | 'tls'
  | 'transport'

export interface OutboundFailure {
  readonly kind: OutboundFailureKind
  /** A sentence for the author of the plugin; never an address that DNS gave. */
  readonly message: string
}

/** Carries a failure from where it is found to where the request ends. */
export class OutboundError extends Error {
  readonly kind: OutboundFailureKind

  constructor(kind: OutboundFailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OutboundError'
    this.kind = kind
  }
}

/** Kinds of failure by the code of an error of Node, of OpenSSL or of undici. */
const kinds: Readonly<Record<string, OutboundFailureKind>> = {
  ECONNREFUSED: 'refused',
  UND_ERR_HEADERS_OVERFLOW: 'response_too_large',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls',
}

const sentences: Readonly<Record<OutboundFailureKind, string>> = {
  address_blocked: 'has a private or reserved address, which is blocked',
  busy: 'was not asked',
  canceled: 'was not asked to the end: the request was canceled',
  dns: 'could not be found: DNS failure',
  refused: 'did not take the connection: connection refused',
  response_too_large: 'sent a response that is too large',
  response_unreadable: 'sent a response that cannot be read',
  timeout: 'did not take the connection in time: timed out',
  tls: 'could not be trusted: TLS failure',
  transport: 'ended the connection',
}

/** Says in words for the author of a plugin what went wrong with a request to a host. */
export function failureOf(thrown: unknown, host: string): OutboundFailure {
  if (thrown instanceof OutboundError) return { kind: thrown.kind, message: thrown.message }
  const code = codeOf(thrown)
  const kind = kinds[code] ?? kindOfGroup(code)
  // Codes are constants of the platform; messages can hold addresses.
  const detail = code === '' || kind === 'refused' ? '' : ` (${code})`
  return { kind, message: `${host} ${sentences[kind]}${detail}` }
}

/** Makes the error of a failure that needs no details. */
export function outboundError(kind: OutboundFailureKind, host: string, detail = ''): OutboundError {
  return new OutboundError(kind, `${host} ${sentences[kind]}${detail}`)
}

/** Code of an error; that of its first part where several addresses were tried in vain. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors[0])
  const code = (thrown as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code.slice(0, 64) : ''
}

function kindOfGroup(code: string): OutboundFailureKind {
  // The parser of HTTP messages.
  if (code.startsWith('HPE_')) return 'response_unreadable'
  return tlsCodes.some((start) => code.startsWith(start)) ? 'tls' : 'transport'
}

/** How the codes of OpenSSL and of Node's TLS begin. */
const tlsCodes: readonly string[] = [
  'CERT_',
  'CRL_',
  'DEPTH_ZERO_',
  'ERROR_IN_CERT_',
  'ERR_SSL_',
  'ERR_TLS_',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_',
  'UNABLE_TO_',
]
