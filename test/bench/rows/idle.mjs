import { once } from 'node:events'
import { connect } from 'node:net'
import { sleep } from '../lib/children.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atLeast, atMost } from '../lib/report.mjs'
import { residentBytes } from '../lib/resident-memory.mjs'
import { median } from '../lib/statistics.mjs'

const idleCount = 10_000
const addresses = 8
const atOnce = 200
const connections = 32
const kibibyte = 1024

/** What ten thousand connections that wait for a further request take from those that work, and from memory. */
export async function idleRow(bench) {
  const installation = prepareInstallation(['bench'], {
    // Nothing ends by itself while it is measured, and the load comes from one address.
    server: { keepAliveTimeout: '10m', maxConnections: 16_384, maxConnectionsPerAddress: 16_384 },
  })
  const sockets = []
  try {
    const product = await startProduct(bench.children, installation)
    const url = product.url('/health')
    const load = () => bench.generator.measure(url, { connections, seconds: bench.seconds })
    await load()
    const without = []
    for (let round = 1; round <= bench.rounds; round++) without.push(await load())
    await sleep(2000)
    const bytesWithout = await residentBytes(bench.children, product.pid)
    bench.progress(`opening ${idleCount} connections`)
    const startedMs = performance.now()
    await openIdle(new URL(url).port, sockets)
    const openedMs = performance.now() - startedMs
    await sleep(2000)
    const bytesWith = await residentBytes(bench.children, product.pid)
    const beside = []
    for (let round = 1; round <= bench.rounds; round++) beside.push(await load())
    const lost = sockets.filter((socket) => socket.destroyed).length
    await product.stop()
    const speed = (samples) => median(samples.map(({ requestsPerSecond }) => requestsPerSecond))
    const late = (samples) => median(samples.map(({ p99Ms }) => p99Ms))
    const each = (bytesWith - bytesWithout) / idleCount / kibibyte
    const note = (value, unit) => ({
      note: `${value(without).toFixed(1)}${unit} without, ${value(beside).toFixed(1)}${unit} beside`,
    })
    return [
      atLeast(
        'idle',
        `requests/s beside ${idleCount} idle connections vs without`,
        speed(beside) / speed(without),
        0.7,
        ' x',
        note(speed, '/s'),
      ),
      atMost(
        'idle',
        'p99 beside them vs without',
        late(beside) / late(without),
        2.5,
        ' x',
        note(late, ' ms'),
      ),
      atMost('idle', 'resident memory per idle connection', each, 32, ' KiB', {
        note: `opened in ${(openedMs / 1000).toFixed(1)} s`,
      }),
      atMost('idle', 'idle connections that were lost', lost, 0, ''),
    ]
  } finally {
    for (const socket of sockets) socket.destroy()
    await bench.children.stopAll()
    installation.remove()
  }
}

/** Opens connections of several clients, each of which has been answered once. */
async function openIdle(port, sockets) {
  const request = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'
  const open = async (at) => {
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      localAddress: `127.0.0.${2 + (at % addresses)}`,
    })
    sockets.push(socket)
    await once(socket, 'connect')
    socket.on('error', () => socket.destroy())
    socket.write(request)
    const [answer] = await once(socket, 'data')
    if (!String(answer).startsWith('HTTP/1.1 200'))
      throw new Error(`an idle connection was answered ${answer}`)
  }
  for (let from = 0; from < idleCount; from += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, idleCount - from) }, (_, at) => open(from + at)))
  }
}
