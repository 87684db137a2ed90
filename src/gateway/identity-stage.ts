import { type Stage, stagePriorities } from './stage.js'

/** Header by which a server behind the host is told who calls. */
const identityHeader = 'x-identity'

/**
 * Creates the stage that takes a claimed identity out of requests: only the host itself may say who somebody is, so
 * what comes from outside never reaches a rule, a plugin or a server behind.
 */
export function createIdentityStage(): Stage {
  return {
    name: 'authn',
    priority: stagePriorities.authn,
    onRequest(exchange) {
      if (exchange.header(identityHeader) !== undefined) exchange.setRequestHeader(identityHeader, undefined)
      return undefined
    },
  }
}
