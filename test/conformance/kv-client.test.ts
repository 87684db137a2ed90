import { Kv, KvNow, KvU64 } from '../../sdk/client/index.js'
import { openHost } from '../helpers/create-host.js'
import { kvConformance } from './kv.js'

kvConformance('the client, over HTTP', async () => {
  const server = await openHost({ plugins: {}, config: { 'keyval.rate_limit': 100_000 } })
  const { token } = server.host.adminToken
  const namespace = (name: string): Kv => new Kv(server.url, { token, namespace: name })
  return { namespaces: { namespace }, classes: { KvU64, KvNow }, close: () => server.dispose() }
})
