import { after, before, it } from 'node:test'
import type { Attack, Outcome } from '../attack/corpus.js'
import { AttackHost, type AttackHostOptions } from './attack-runner.js'

/** Adds a test for each attack to the suite around; one host meets all of them, one after the other. */
export function runAttacks(
  attacks: readonly Attack[],
  outcomeOf: (attack: Attack) => Outcome,
  options: AttackHostOptions,
): void {
  let host: AttackHost

  before(async () => {
    host = await AttackHost.start(options)
  })

  after(() => host.close())

  for (const attack of attacks) {
    it(`${attack.file}: ${attack.title}`, () => host.run(attack, outcomeOf(attack)))
  }
}

/** True for an outcome that takes the attack to run to its end. */
export function isAnswer({ kind }: Outcome): boolean {
  return kind === 'json' || kind === 'refused'
}

/** Time of a call that is answered at once, however busy the machine is. */
export const answerMs = 5000
