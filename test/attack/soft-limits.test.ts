import { describe } from 'node:test'
import { answerMs, isAnswer, runAttacks } from '../helpers/attack-suite.js'
import { type Attack, readCorpus } from './corpus.js'

const outcomeOf = ({ expect }: Attack) => expect

describe('the attack corpus against all limits', () => {
  const attacks = readCorpus().filter(({ expect }) => !isAnswer(expect))
  runAttacks(attacks, outcomeOf, { softLimits: true })
})

describe('the attacks that are answered, against all limits', () => {
  const attacks = readCorpus().filter(({ expect }) => isAnswer(expect))
  runAttacks(attacks, outcomeOf, { softLimits: true, callMs: answerMs })
})
