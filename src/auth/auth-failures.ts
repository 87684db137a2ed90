import type { HostError } from '../base/errors.js'
import type { AuthFailure } from './authenticator.js'
import {
  credentialExpired,
  credentialInvalid,
  credentialRevoked,
  forgedRequest,
  loginThrottled,
} from './errors.js'

/** Makes the error that a credential is refused with. */
export function failureOf({ fault, message: reason, retryAfterSeconds = 1 }: AuthFailure): HostError {
  switch (fault) {
    case 'csrf':
      return forgedRequest({ reason })
    case 'expired':
      return credentialExpired({ reason })
    case 'revoked':
      return credentialRevoked({ reason })
    case 'throttled':
      return loginThrottled({ seconds: retryAfterSeconds }, { retryAfterSeconds })
    default:
      return credentialInvalid({ reason })
  }
}
