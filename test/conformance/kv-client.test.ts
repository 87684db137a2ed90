import { Agent, fetch as send } from 'undici'
import { Kv, KvNow, KvU64 } from '../../sdk/client/index.js'
import { openHost } from '../helpers/create-host.js'
import { kvConformance } from './kv.js'

kvConformance('the client, over HTTP', async () => {
  const server = await openHost({ plugins: {} })
  const { token } = server.host.adminToken
  const dispatcher = new Agent()
  const fetch = ((url: string, init: object) => send(url, { ...init, dispatcher })) as typeof globalThis.fetch
  const namespace = (name: string): Kv => new Kv(server.url, { token, namespace: name, fetch })
  const close = async () => {
    // A connection that was opened for a request that was given up keeps a server that closes.
    await dispatcher.destroy()
    await server.dispose()
  }
  return { namespaces: { namespace }, classes: { KvU64, KvNow }, close }
})
