// Preloaded into the product (`node --import`): it serves without the inbound gateway, which the product itself cannot.
// Worker threads inherit the preload; they have no gateway.
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const { HostGateway } = await import('../../../dist/src/host/gateway.js')
  HostGateway.prototype.install = async () => {}
}
