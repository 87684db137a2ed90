import { after, before, describe, it } from 'node:test'
import { AttackHost } from '../helpers/attack-runner.js'
import { readCorpus } from './corpus.js'

describe('the attack corpus against the hard stop alone', () => {
  let host: AttackHost

  before(async () => {
    host = await AttackHost.start(false)
  })

  after(() => host.close())

  for (const attack of readCorpus()) {
    it(`${attack.file}: ${attack.title}`, () => host.run(attack, attack.hard))
  }
})
