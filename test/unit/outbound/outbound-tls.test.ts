import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient, fail, requestTo, succeed } from '../../helpers/outbound-requests.js'
import {
  authority,
  expiredCertificate,
  selfSignedCertificate,
  trustedCertificate,
} from '../../helpers/tls-certificates.js'
import { startTlsServer, startWebServer } from '../../helpers/web-server.js'

describe('TLS of the outbound client', () => {
  const cases = [
    ['a self-signed certificate', selfSignedCertificate, 'server.test', /TLS failure/],
    ['an expired certificate', expiredCertificate, 'server.test', /TLS failure \(CERT_HAS_EXPIRED\)/],
    [
      'a certificate for another name',
      trustedCertificate,
      'other.test',
      /TLS failure \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    ],
  ] as const
  for (const [name, certificate, host, message] of cases) {
    it(`refuses ${name}, also where the environment says otherwise`, async (t) => {
      let requests = 0
      const server = await startTlsServer(t, certificate, (_request, response) => {
        requests += 1
        response.end('x')
      })
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
      const client = createClient(t, { certificates: authority, resolve: async () => ['127.0.0.1'] })
      const failure = await fail(client, requestTo(`https://${host}:${server.port}/`))
      assert.equal(failure.kind, 'tls')
      assert.match(failure.message, message)
      assert.equal(requests, 0)
    })
  }

  it('takes a certificate for the name, and for an address', async (t) => {
    const names: unknown[] = []
    const server = await startTlsServer(t, trustedCertificate, (request, response) => {
      names.push((request.socket as { servername?: unknown }).servername)
      response.end('x')
    })
    const client = createClient(t, { certificates: authority, resolve: async () => ['127.0.0.1'] })
    await succeed(client, requestTo(`https://server.test:${server.port}/`))
    await succeed(client, requestTo(`https://127.0.0.1:${server.port}/`))
    assert.deepEqual(names, ['server.test', false])
  })

  it('is not spoken to a server without it', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const failure = await fail(createClient(t), requestTo(`https://127.0.0.1:${server.port}/`))
    assert.equal(failure.kind, 'tls')
  })
})
