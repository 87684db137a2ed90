import type { HostError } from '../base/errors.js'
import type { AuthFailure } from './authenticator.js'
import { credentialExpired, credentialInvalid, forgedRequest } from './errors.js'

/** Makes the error that a credential is refused with. */
export function failureOf({ fault, message: reason }: AuthFailure): HostError {
  switch (fault) {
    case 'csrf':
      return forgedRequest({ reason })
    case 'expired':
      return credentialExpired({ reason })
    default:
      return credentialInvalid({ reason })
  }
}
