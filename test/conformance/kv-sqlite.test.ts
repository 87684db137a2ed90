import { KvNow, KvU64 } from '../../src/kv/value.js'
import { openKvFixture } from '../helpers/kv-service.js'
import { kvConformance } from './kv.js'

kvConformance('SQLite on the HTTP thread', async () => {
  const { service, close } = await openKvFixture()
  return { namespaces: service, classes: { KvU64, KvNow }, close }
})
