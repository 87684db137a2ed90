import { randomUUID } from 'node:crypto'
import { testLimits } from '../base/limits/harness.js'
import type { CheckAnswer, CheckQuestion } from '../capabilities/auth/check-function.js'
import { type AuthorizeCall, authCallKinds, type ClaimedDecision } from '../capabilities/auth/wire.js'
import type { AskedAuthorizer, CheckMock } from '../capabilities/test/topics.js'
import { describeIdentity } from '../identity/described-identity.js'
import type { JsonValue } from '../identity/identity.js'
import type { Generation } from '../sandbox/generation.js'
import { testMisuse } from './errors.js'
import { identityOfTest } from './test-callers.js'

/** Answers what handlers check in one test, in the place of rules of the configuration. */
export class CheckMocks {
  readonly #mocks: CheckMock[] = []

  /** @throws `TEST_MISUSE` when there are too many. */
  add(mock: CheckMock): void {
    if (this.#mocks.length >= testLimits.mocksMax) {
      throw testMisuse({ reason: `a test can have ${testLimits.mocksMax} mocks at the most` })
    }
    this.#mocks.push(mock)
  }

  /** Gives what the first mock that fits says; nothing is allowed without one. */
  answer({ action, resourceType }: CheckQuestion): CheckAnswer {
    const mock = this.#mocks.find((each) => each.action === action && each.resourceType === resourceType)
    if (mock === undefined) {
      return { allows: false, reason: `no test.mock_check answers "${action}" of "${resourceType}"` }
    }
    return mock.allows ? { allows: true, reason: '' } : { allows: false, reason: mock.reason }
  }
}

/**
 * Asks an authorizer of a plugin, as the host would.
 *
 * @throws `TEST_MISUSE` with the text of what went wrong: here it is for the plugin's author.
 */
export async function askAuthorizer(
  generation: Generation,
  { name, identity, access }: AskedAuthorizer,
): Promise<ClaimedDecision> {
  const isThere = generation.inspection.registrations.some(
    ({ kind, key }) => kind === 'authorizer' && key === name,
  )
  if (!isThere) throw testMisuse({ reason: `test.authorize: the plugin has no authorizer "${name}"` })
  const call: AuthorizeCall = {
    name,
    identity: describeIdentity(identityOfTest('test.authorize', identity)),
    access: JSON.parse(access) as JsonValue,
  }
  const outcome = await generation.call({
    kind: authCallKinds.authorize,
    phase: 'stage',
    payload: JSON.stringify(call),
    body: '',
    requestId: `test-${randomUUID()}`,
    reserved: true,
  })
  if (!outcome.ok) throw testMisuse({ reason: `test.authorize: ${outcome.message}` })
  return JSON.parse(outcome.result[0] as string) as ClaimedDecision
}
