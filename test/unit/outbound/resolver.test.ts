import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { OutboundError } from '../../../src/outbound/failures.js'
import { createAddressResolver } from '../../../src/outbound/resolver.js'
import { until } from '../../helpers/until.js'

const types = { A: 1, AAAA: 28 } as const

/** Bytes of the records of one name; undefined is a name server that says nothing. */
type Records = (name: string, type: number) => readonly (readonly number[])[] | undefined

interface NameServer {
  readonly address: string
  readonly questions: string[]
}

/** A name server that knows one question a message, as all do. */
async function startNameServer(t: TestContext, records: Records): Promise<NameServer> {
  const socket: Socket = createSocket('udp4')
  const questions: string[] = []
  socket.on('message', (message, peer) => {
    const { name, type, end } = readQuestion(message)
    questions.push(name)
    const found = records(name, type)
    if (found === undefined) return
    const head = Buffer.from(message.subarray(0, 12))
    // An answer with recursion; NXDOMAIN where there is nothing.
    head.writeUInt16BE(found.length > 0 ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(found.length, 6)
    head.writeUInt32BE(0, 8)
    const answers = found.map((bytes) => {
      const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length])
      return Buffer.concat([record, Buffer.from(bytes)])
    })
    socket.send(Buffer.concat([head, message.subarray(12, end), ...answers]), peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, questions }
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

const never = new AbortController().signal

describe('the resolver', () => {
  it('gives all addresses of both families, the local ones too: what is allowed is for others to say', async (t) => {
    const server = await startNameServer(t, (_name, type) =>
      type === types.A
        ? [
            [93, 184, 216, 34],
            [127, 0, 0, 1],
          ]
        : [[0x26, 0x06, ...Array<number>(13).fill(0), 1]],
    )
    const addresses = await createAddressResolver([server.address])('api.example.com', never)
    assert.deepEqual([...addresses].sort(), ['127.0.0.1', '2606::1', '93.184.216.34'])
    assert.deepEqual(new Set(server.questions), new Set(['api.example.com']))
  })

  it('is content with one family', async (t) => {
    const server = await startNameServer(t, (_name, type) => (type === types.A ? [[1, 1, 1, 1]] : []))
    assert.deepEqual(await createAddressResolver([server.address])('a.example', never), ['1.1.1.1'])
  })

  it('fails for a name without addresses, asked as it is', async (t) => {
    const server = await startNameServer(t, () => [])
    await assert.rejects(createAddressResolver([server.address])('no.example', never), (error) => {
      assert.ok(error instanceof OutboundError)
      assert.equal(error.kind, 'dns')
      return true
    })
    assert.deepEqual(new Set(server.questions), new Set(['no.example']))
  })

  it('ends at a signal while a name server says nothing', async (t) => {
    const server = await startNameServer(t, () => undefined)
    const controller = new AbortController()
    const looking = createAddressResolver([server.address])('slow.example', controller.signal)
    await until('it was asked', () => server.questions.length > 0)
    controller.abort()
    await assert.rejects(looking, /DNS failure/)
  })
})
