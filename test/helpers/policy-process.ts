// Changes policies from a process of its own: node policy-process.js <file> <how many>
import { createDatabase } from '../../src/database/database.js'
import { PolicyService } from '../../src/policies/policy-service.js'
import { document } from './policies.js'

const [file = '', count = '0'] = process.argv.slice(2)
const database = await createDatabase({ file })
const seed = { policies: [document({ id: 'seeded' })] }
const service = await PolicyService.open({ database, seed, log: { warn: () => undefined } })
for (let at = 0; at < Number(count); at += 1) {
  await service.save(document({ id: 'shared', priority: at }), { by: `process ${process.pid}` })
}
await database.close()
