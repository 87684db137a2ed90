import { defineError } from '../base/errors.js'

/** Raised for an entry of the trusted proxies that is no address or CIDR block. */
export const trustedProxyInvalid = defineError(
  'TRUSTED_PROXY_INVALID',
  500,
  'The trusted proxy "{entry}" is not an IP address or CIDR block; write e.g. "10.0.0.0/8", "192.0.2.7" or "fd00::/8".',
)
