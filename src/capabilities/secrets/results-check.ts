import { ResultError } from '../../sandbox/call-context.js'
import type { CallSite } from '../../sandbox/call-kind.js'

/**
 * Gives the results of a call, which others get to see, when none of them has a secret of the plugin.
 *
 * @throws ResultError SECRET_IN_RESPONSE, which names the secret and does not show it.
 */
export function withoutSecrets({ secrets }: Pick<CallSite, 'secrets'>, results: unknown[]): unknown[] {
  if (secrets.isIdle) return results
  for (const result of results) {
    const name = typeof result === 'string' || result instanceof Uint8Array ? secrets.find(result) : undefined
    if (name === undefined) continue
    throw new ResultError(
      'SECRET_IN_RESPONSE',
      `the answer has the secret "${name}" in its headers or its body and was withheld: send nothing made of it`,
    )
  }
  return results
}
