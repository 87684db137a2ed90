import { alternate } from '../lib/alternate.mjs'
import { startPeer } from '../lib/peers.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atLeast, told } from '../lib/report.mjs'

const connections = 64
const small = '/upstream/hello'
const large = '/upstream/large'

/** The proxy of the gateway with one rule, against Fastify with `@fastify/http-proxy`, in front of the same server. */
export async function proxyRow(bench) {
  const upstream = await startPeer(bench.children, 'upstream', small)
  const rules = [{ pattern: '^/upstream/', target: upstream.base }]
  const installation = prepareInstallation([], { gateway: { proxy: { rules } } })
  try {
    const product = await startProduct(bench.children, installation)
    const peer = await startPeer(bench.children, 'http-proxy', small, [upstream.base])
    const medians = await alternate(
      bench,
      [
        { name: 'ours', url: product.url(small) },
        { name: 'theirs', url: peer.url },
        { name: 'ours-large', url: product.url(large) },
        { name: 'theirs-large', url: peer.base + large },
      ],
      { connections },
    )
    const result = (make, what, end) => {
      const [ours, theirs] = [medians.get(`ours${end}`), medians.get(`theirs${end}`)]
      const ratio = ours.requestsPerSecond / theirs.requestsPerSecond
      return make('proxy', what, ratio, 0.85, ' x', { ours, theirs })
    }
    return [
      result(atLeast, 'small JSON, requests/s vs @fastify/http-proxy', ''),
      result(told, '64 KiB, requests/s vs @fastify/http-proxy', '-large'),
    ]
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}
