import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crossSiteFault, forgeryFault } from '../../../src/auth/csrf.js'
import { SessionCookies } from '../../../src/auth/session-cookie.js'
import { csrfToken } from '../../../src/identity/session-token.js'

const token = 'A'.repeat(43)
const other = 'B'.repeat(43)
const plain = { isSecure: false, host: 'host.example:8080' }
const secure = { isSecure: true, host: 'host.example' }
const cookies = (secureness: 'auto' | 'always' | 'never' = 'auto') =>
  new SessionCookies({
    cookie: 'sid',
    header: 'x-sid',
    secure: secureness,
    sameSite: 'strict',
    maxAgeMs: 90_500,
  })

test('a cookie is given under the name that only this host can have set, where that can be', () => {
  assert.equal(cookies().issue(token, plain), `sid=${token}; Path=/; Max-Age=90; HttpOnly; SameSite=Strict`)
  const own = `__Host-sid=${token}; Path=/; Max-Age=90; HttpOnly; SameSite=Strict; Secure`
  assert.equal(cookies().issue(token, secure), own)
  assert.equal(cookies('always').issue(token, plain), own)
  assert.equal(cookies('never').issue(token, secure), cookies().issue(token, plain))
})

test('what takes it back names it as it was given', () => {
  assert.deepEqual(
    cookies()
      .clear(secure)
      .map((each) => each.split(';')[0]),
    ['__Host-sid=', 'sid='],
  )
  for (const each of cookies().clear(plain)) assert.match(each, /^sid=; Path=\/; Max-Age=0;/)
})

test('it is read where it counts', () => {
  const read = (headers: Record<string, string>, site = plain) => cookies().read({ headers, site })
  assert.deepEqual(read({}), { kind: 'none' })
  assert.deepEqual(read({ cookie: 'a=1; xsid=2; sid2=3' }), { kind: 'none' })
  assert.deepEqual(read({ cookie: `a=1;sid=${token} ; b` }), { kind: 'token', token, by: 'cookie' })
  assert.deepEqual(read({ cookie: `sid=${token}` }, secure), { kind: 'none' })
  assert.deepEqual(read({ cookie: `__Host-sid=${token}; sid=${other}` }, secure), {
    kind: 'token',
    token,
    by: 'cookie',
  })
  assert.deepEqual(read({ cookie: `sid=${other}`, 'x-sid': token }), { kind: 'token', token, by: 'header' })
  for (const cookie of [`sid=${token}; sid=${token}`, 'sid=', 'sid=x', `sid="${token}"`, `sid=${token}=`]) {
    assert.equal(read({ cookie }).kind, 'unusable', cookie)
  }
})

test('no text at all is read as a token that was not sent', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const read = cookies().read({ headers: { cookie: `${before};sid=${after}` }, site: plain })
      if (read.kind === 'token') assert.equal(`${before};sid=${after}`.includes(read.token), true)
    }),
  )
})

test('pages of other origins are told apart by what browsers say', () => {
  const fault = (headers: Record<string, string>, site = plain) => crossSiteFault({ headers, site })
  for (const headers of [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://host.example:8080' },
    { origin: 'https://host.example:8080' },
  ]) {
    assert.equal(fault(headers as Record<string, string>), undefined, JSON.stringify(headers))
  }
  assert.equal(fault({ origin: 'https://host.example' }, secure), undefined)
  assert.equal(
    fault({ origin: 'https://host.example' }, { isSecure: true, host: 'HOST.example:443' }),
    undefined,
  )
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'Same-Origin, none' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'http://host.example' },
    { origin: 'http://host.example:8080.evil.example' },
    { origin: 'file://host.example:8080' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
  ]) {
    assert.notEqual(fault(headers as Record<string, string>), undefined, JSON.stringify(headers))
  }
  assert.notEqual(fault({ origin: 'http://host.example' }, secure), undefined, 'without protection')
  assert.notEqual(
    crossSiteFault({ headers: { origin: 'http://x' }, site: { ...plain, host: undefined } }),
    undefined,
  )
})

test('what changes something takes the token of its own session', () => {
  const fault = (method: string, sent?: string) =>
    forgeryFault({ method, headers: sent === undefined ? {} : { 'x-csrf-token': sent }, site: plain }, token)
  for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.equal(fault(method), undefined)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'PROPFIND']) {
    assert.notEqual(fault(method), undefined, method)
    assert.equal(fault(method, csrfToken(token)), undefined, method)
    for (const sent of [
      '',
      token,
      csrfToken(other),
      csrfToken(token).toLowerCase(),
      `${csrfToken(token)} `,
    ]) {
      assert.notEqual(fault(method, sent), undefined, `${method} ${sent}`)
    }
  }
})
