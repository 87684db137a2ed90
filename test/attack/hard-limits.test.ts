import { after, before, describe, it } from 'node:test'
import { AttackHost } from '../helpers/attack-runner.js'
import { type Attack, readCorpus } from './corpus.js'

/** Long enough for a loop to overrun and to have its thread set aside and lowered; the grace comes on top. */
const loopMs = 300

/** Rows of endless code that gathers something while it runs: coroutines, lines of the log. */
const gathering = ['C07', 'C36']

/**
 * True for an attack that does nothing but use time: a longer look at it shows nothing new. What gathers memory, rows
 * or locks has the time that it has against all limits.
 */
function isLoop({ ids, hard }: Attack): boolean {
  return hard.kind === 'stopped' && ids.every((id) => /^[CW]\d\d$/.test(id) && !gathering.includes(id))
}

function attackHardLimits(attacks: readonly Attack[], callMs?: number): void {
  let host: AttackHost

  before(async () => {
    host = await AttackHost.start(false, callMs)
  })

  after(() => host.close())

  for (const attack of attacks) {
    it(`${attack.file}: ${attack.title}`, () => host.run(attack, attack.hard))
  }
}

const corpus = readCorpus()

describe('the attack corpus against the hard stop alone', () => {
  attackHardLimits(corpus.filter((attack) => !isLoop(attack)))
})

describe('the loops of the attack corpus against the hard stop alone', () => {
  attackHardLimits(corpus.filter(isLoop), loopMs)
})
