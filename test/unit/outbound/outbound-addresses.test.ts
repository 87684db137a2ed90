import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient, fail, requestTo, succeed, textOf } from '../../helpers/outbound-requests.js'
import { authority, trustedCertificate } from '../../helpers/tls-certificates.js'
import { startTlsServer, startWebServer } from '../../helpers/web-server.js'

describe('the addresses of the outbound client', () => {
  it('are checked when the name is looked up: one bad address refuses all', async (t) => {
    for (const addresses of [
      ['10.0.0.1'],
      ['93.184.216.34', '169.254.169.254'],
      ['2606:4700::1', '::ffff:127.0.0.1'],
    ]) {
      const client = createClient(t, { resolve: async () => addresses, allowLocal: false })
      const failure = await fail(client, requestTo('https://rebind.example/'))
      assert.equal(failure.kind, 'address_blocked')
      assert.match(failure.message, /rebind\.example has a private or reserved address, which is blocked/)
      for (const address of addresses) assert.ok(!failure.message.includes(address))
    }
  })

  it('are those that are connected to: an answer that changes afterwards changes nothing', async (t) => {
    const server = await startTlsServer(t, trustedCertificate, (_request, response) =>
      response.end('checked'),
    )
    let lookups = 0
    const resolve = async () => {
      lookups += 1
      return lookups % 2 === 1 ? ['127.0.0.1'] : ['169.254.169.254']
    }
    const client = createClient(t, { resolve, certificates: authority })
    const url = `https://server.test:${server.port}/`
    assert.equal(textOf(await succeed(client, requestTo(url))), 'checked')
    assert.equal(lookups, 1)
    assert.equal((await fail(client, requestTo(url))).kind, 'address_blocked')
    assert.equal(lookups, 2)
    assert.equal(server.connections(), 1)
  })

  it('are tried one after the other', async (t) => {
    const server = await startTlsServer(t, trustedCertificate, (_request, response) => response.end('third'))
    const url = `https://server.test:${server.port}/`
    const tried = createClient(t, {
      resolve: async () => ['127.0.0.2', '::1', '127.0.0.1'],
      certificates: authority,
    })
    assert.equal(textOf(await succeed(tried, requestTo(url))), 'third')
    const inVain = createClient(t, { resolve: async () => ['127.0.0.2', '127.0.0.3'] })
    assert.equal((await fail(inVain, requestTo(url))).kind, 'refused')
  })

  it('are blocked as literals too, and loopback is where the configuration does not allow it', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const client = createClient(t, { allowLocal: false })
    for (const url of [
      server.url,
      `http://2130706433:${server.port}`,
      `http://[::ffff:7f00:1]:${server.port}`,
      'https://169.254.169.254',
    ])
      assert.equal((await fail(client, requestTo(url))).kind, 'address_blocked', url)
    assert.equal((await fail(createClient(t), requestTo('https://10.0.0.1/'))).kind, 'address_blocked')
    assert.equal(server.connections(), 0)
  })

  it('come from DNS: no answer is a failure of its own', async (t) => {
    const client = createClient(t, { resolve: async () => [] })
    const failure = await fail(client, requestTo('https://nowhere.example/'))
    assert.deepEqual(failure, { kind: 'dns', message: 'nowhere.example could not be found: DNS failure' })
  })

  it('are looked up within the time of the request', async (t) => {
    const client = createClient(t, { resolve: () => new Promise(() => undefined) })
    const failure = await fail(client, requestTo('https://slow.example/', { timeoutMs: 50 }))
    assert.equal(failure.kind, 'timeout')
  })
})
