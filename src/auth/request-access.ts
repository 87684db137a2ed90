import type { IncomingMessage } from 'node:http'
import type { AuthRequest } from './authenticator.js'
import type { AccessRule } from './rulebook.js'

const accessKey = Symbol('access')

/** By which rule a request came in. */
export interface NotedAccess {
  readonly rule: AccessRule
  readonly asked: AuthRequest
}

type WithAccess = { [accessKey]?: NotedAccess }

/** Notes by which rule a request comes in, for what asks its authorizers once more. */
export function noteAccess(request: IncomingMessage, access: NotedAccess): void {
  ;(request as WithAccess)[accessKey] = access
}

/** Gives by which rule a request came in; undefined where nobody has looked. */
export function accessOf(request: IncomingMessage): NotedAccess | undefined {
  return (request as WithAccess)[accessKey]
}
