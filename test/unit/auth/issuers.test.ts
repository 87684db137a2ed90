import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { errors, jwtVerify } from 'jose'
import { FetchedValue, IssuerUnavailable } from '../../../src/auth/issuers/fetched-value.js'
import { IssuerClient } from '../../../src/auth/issuers/issuer-client.js'
import { IssuerDocument } from '../../../src/auth/issuers/issuer-document.js'
import { PublishedKeys } from '../../../src/auth/issuers/published-keys.js'
import { Deferred } from '../../../src/base/deferred.js'
import { authLimits } from '../../../src/base/limits/auth.js'
import { startTokenIssuer } from '../../helpers/token-issuer.js'

async function serve(test: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function connect(test: TestContext, timeoutMs?: number): IssuerClient {
  const client = new IssuerClient(timeoutMs)
  test.after(() => client.close())
  return client
}

describe('a value that is fetched', () => {
  it('is fetched once, by however many it is needed, and again when it is old', async () => {
    let now = 0
    let loads = 0
    const value = new FetchedValue({
      load: async () => ++loads,
      ageMs: 100,
      retryMs: 10,
      clock: () => now,
    })
    assert.deepEqual(await Promise.all([value.get(), value.get(), value.get()]), [1, 1, 1])
    now = 99
    assert.equal(await value.get(), 1)
    assert.equal(await value.get(50), 2, 'anew for who wants a younger one')
    now = 199
    assert.deepEqual(await Promise.all([value.get(), value.get()]), [3, 3])
  })

  it('is not fetched for a while after that failed', async () => {
    let now = 0
    let loads = 0
    let failure: Error | undefined = new Error('no answer')
    const value = new FetchedValue({
      load: async () => {
        loads += 1
        if (failure !== undefined) throw failure
        return 'here'
      },
      ageMs: 100,
      retryMs: 10,
      clock: () => now,
    })
    for (let count = 0; count < 5; count += 1) await assert.rejects(value.get(), IssuerUnavailable)
    assert.equal(loads, 1)
    failure = undefined
    now = 9
    await assert.rejects(value.get(), /no answer/)
    now = 10
    assert.equal(await value.get(), 'here')
    assert.equal(loads, 2)
  })
})

describe('asking an issuer', () => {
  it('takes no answer that is a redirect, too long, of another kind or none', async (test) => {
    const answers: Readonly<Record<string, RequestListener>> = {
      redirect: (_request, response) => void response.writeHead(302, { location: '/json' }).end(),
      failure: (_request, response) => void response.writeHead(500).end('{}'),
      busy: (_request, response) => void response.writeHead(429).end('{}'),
      text: (_request, response) => void response.end('no JSON'),
      list: (_request, response) => void response.end('[]'),
      long: (_request, response) => void response.end(`{"a":"${'x'.repeat(authLimits.issuerBytesMax)}"}`),
      cut: (_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{')
        setImmediate(() => response.destroy())
      },
      json: (_request, response) => void response.end('{"a":1}'),
    }
    const origin = await serve(test, (request, response) =>
      answers[(request.url ?? '').slice(1)]?.(request, response),
    )
    const client = connect(test)
    for (const name of Object.keys(answers)) {
      if (name === 'json') continue
      await assert.rejects(client.fetchObject(`${origin}/${name}`), IssuerUnavailable, name)
    }
    assert.deepEqual(await client.fetchObject(`${origin}/json`), { a: 1 })
  })

  it('does not wait for one that says nothing, or says it too slowly', async (test) => {
    const origin = await serve(test, (request, response) => {
      if (request.url === '/slow') response.write('{')
    })
    const client = connect(test, 50)
    await assert.rejects(client.fetchObject(`${origin}/silent`), IssuerUnavailable)
    await assert.rejects(client.fetchObject(`${origin}/slow`), IssuerUnavailable)
  })

  it('sends nothing unprotected to another machine, or what others made of an address', async (test) => {
    const client = connect(test)
    for (const address of [
      'http://192.0.2.1/keys',
      'http://localhost.example/',
      'http://127.0.0.1@192.0.2.1/',
      'ftp://127.0.0.1/',
      'file:///etc/passwd',
      'nothing',
    ]) {
      await assert.rejects(client.send(address), /not protected by https/, address)
    }
  })

  it('ends when the host does', async (test) => {
    const arrived = new Deferred<void>()
    const origin = await serve(test, () => arrived.resolve())
    const client = new IssuerClient()
    const asked = assert.rejects(client.send(origin), IssuerUnavailable)
    await arrived.promise
    await client.close()
    await asked
  })
})

describe('the document of an issuer', () => {
  it('is that of another when it names another, and of nobody when its keys are unprotected', async (test) => {
    const documents: Readonly<Record<string, unknown>> = {
      other: { issuer: 'https://other.example', jwks_uri: 'https://other.example/keys' },
      keyless: {},
      unprotected: { jwks_uri: 'http://keys.example/keys' },
      odd: { jwks_uri: 7 },
    }
    const origin = await serve(test, ({ url, headers }, response) => {
      const name = (url ?? '').split('/')[1] ?? ''
      const own = { issuer: `http://${headers.host}/${name}`, jwks_uri: `http://${headers.host}/keys` }
      const said = documents[name] as object | undefined
      const document = name === 'keyless' ? { issuer: own.issuer } : { ...own, ...said }
      response.end(JSON.stringify(document))
    })
    const client = connect(test)
    for (const name of Object.keys(documents)) {
      await assert.rejects(new IssuerDocument(`${origin}/${name}`, client).get(), IssuerUnavailable, name)
    }
    const { jwks_uri: keys } = await new IssuerDocument(`${origin}/good`, client).get()
    assert.equal(keys, `${origin}/keys`)
  })
})

describe('keys that an issuer publishes', () => {
  it('are fetched again for one that is not among them, once in a while', async (test) => {
    let now = 0
    const issuer = await startTokenIssuer(test)
    const keys = new PublishedKeys(
      () => issuer.jwksUri,
      connect(test),
      () => now,
    )
    const verify = (token: string) => jwtVerify(token, keys.find)
    const old = await issuer.sign()
    await verify(old)
    await issuer.rotate()
    const fresh = await issuer.sign()
    await assert.rejects(verify(fresh), errors.JWKSNoMatchingKey)
    assert.equal(issuer.fetches(), 1, 'not at once')
    now = authLimits.jwksPauseMs
    await Promise.all(Array.from({ length: 20 }, () => verify(fresh)))
    assert.equal(issuer.fetches(), 2, 'once for all who ask')
    await assert.rejects(verify(old), errors.JWKSNoMatchingKey, 'a key that was taken back')
    for (let count = 0; count < 50; count += 1) {
      const made = await issuer.sign({}, { kid: `made-up-${count}` })
      await assert.rejects(verify(made), errors.JWKSNoMatchingKey)
    }
    assert.equal(issuer.fetches(), 2)
    await verify(fresh)
    now += authLimits.jwksAgeMs
    await verify(fresh)
    assert.equal(issuer.fetches(), 3, 'when they are old')
    issuer.answer((_request, response) => void response.writeHead(500).end())
    now += authLimits.jwksAgeMs
    await assert.rejects(verify(fresh), IssuerUnavailable, 'keys that are too old count no more')
  })

  it('are no more than there can be', async (test) => {
    const origin = await serve(test, ({ url }, response) => {
      const keys =
        url === '/many' ? new Array(authLimits.jwksKeysMax + 1).fill({ kty: 'oct', k: 'AA' }) : 'none'
      response.end(JSON.stringify({ keys }))
    })
    const client = connect(test)
    for (const name of ['many', 'odd']) {
      const keys = new PublishedKeys(() => `${origin}/${name}`, client)
      const token = { payload: '', signature: '' }
      await assert.rejects(keys.find({ alg: 'RS256' }, token), IssuerUnavailable, name)
    }
  })
})
