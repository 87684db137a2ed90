import { describe } from 'node:test'
import { answerMs, isAnswer, runAttacks } from '../helpers/attack-suite.js'
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

const outcomeOf = ({ hard }: Attack) => hard
const loops = readCorpus().filter(isLoop)
const others = readCorpus().filter((attack) => !isLoop(attack))

describe('the attack corpus against the hard stop alone', () => {
  const attacks = others.filter(({ hard }) => !isAnswer(hard))
  runAttacks(attacks, outcomeOf, { softLimits: false })
})

describe('the loops of the attack corpus against the hard stop alone', () => {
  runAttacks(loops, outcomeOf, { softLimits: false, callMs: loopMs })
})

describe('the attacks that are answered, with the hard stop alone', () => {
  const attacks = others.filter(({ hard }) => isAnswer(hard))
  runAttacks(attacks, outcomeOf, { softLimits: false, callMs: answerMs })
})
