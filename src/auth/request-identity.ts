import type { IncomingMessage } from 'node:http'
import { anonymous, type Identity } from '../identity/identity.js'
import { toUser, type User } from '../identity/user.js'

const identityKey = Symbol('identity')

interface Noted {
  readonly identity: Identity
  readonly user: User | undefined
}

type WithIdentity = { [identityKey]?: Noted }

/** Notes who sends a request, for everything behind. */
export function noteIdentity(request: IncomingMessage, identity: Identity): void {
  ;(request as WithIdentity)[identityKey] = { identity, user: toUser(identity) }
}

/** Gives who sends a request; nobody that is known where it has not been found out yet. */
export function identityOf(request: IncomingMessage): Identity {
  return (request as WithIdentity)[identityKey]?.identity ?? anonymous
}

/** Gives the user who sends a request; undefined for nobody that is known. */
export function userOf(request: IncomingMessage): User | undefined {
  return (request as WithIdentity)[identityKey]?.user
}
