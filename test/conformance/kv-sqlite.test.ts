import { openKvFixture } from '../helpers/kv-service.js'
import { kvConformance } from './kv.js'

kvConformance('SQLite on the HTTP thread', async () => {
  const { service, close } = await openKvFixture()
  return { namespaces: service, close }
})
