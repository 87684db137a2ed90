import { after, before, describe, it } from 'node:test'
import { AttackHost } from '../helpers/attack-runner.js'
import { readCorpus } from './corpus.js'

describe('the attack corpus against all limits', () => {
  let host: AttackHost

  before(async () => {
    host = await AttackHost.start(true)
  })

  after(() => host.close())

  for (const attack of readCorpus()) {
    it(`${attack.file}: ${attack.title}`, () => host.run(attack, attack.expect))
  }
})
