import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beginSignIn, takeUpSignIn } from '../../../src/auth/oidc/begun-sign-in.js'
import { derivedUsernames } from '../../../src/auth/oidc/derived-username.js'
import { FinishedSignIns } from '../../../src/auth/oidc/finished-sign-ins.js'
import { isLocalPath } from '../../../src/auth/oidc/local-path.js'
import { rolesHere } from '../../../src/auth/oidc/provider-roles.js'
import { SignInCookies } from '../../../src/auth/oidc/sign-in-cookies.js'
import { authLimits } from '../../../src/base/limits/auth.js'
import { usualCredentials } from '../../../src/identity/credentials.js'
import { checkUserFields } from '../../../src/identity/user-fields.js'

const start = 1_700_000_000_000

describe('a sign-in that was begun', () => {
  it('is taken up with its own state, for its provider, in its time', () => {
    const { kept, begun } = beginSignIn('local', '/a?b=c', start)
    assert.deepEqual(takeUpSignIn('local', kept, begun.state, start + 1), begun)
    assert.deepEqual(takeUpSignIn('local', kept, begun.state, start + authLimits.oidcLoginMs), begun)
    assert.equal(takeUpSignIn('local', kept, begun.state, start + authLimits.oidcLoginMs + 1), undefined)
    assert.equal(takeUpSignIn('other', kept, begun.state, start), undefined)
    assert.equal(takeUpSignIn('local', kept, beginSignIn('local', '/', start).begun.state, start), undefined)
    assert.equal(new Set([begun.state, begun.nonce, begun.verifier]).size, 3)
  })

  it('is that of its path and time alone', () => {
    const { kept, begun } = beginSignIn('local', '/a', start)
    const [secret, begunAt, path] = kept.split('.') as [string, string, string]
    const evil = Buffer.from('//evil.example').toString('base64url')
    for (const forged of [
      `${secret}.${begunAt}.${evil}`,
      `${secret}.${Number(begunAt) + 1}.${path}`,
      `${secret.slice(1)}.${begunAt}.${path}`,
      `${secret}.${begunAt}`,
      `${kept}.`,
      '',
    ]) {
      assert.equal(takeUpSignIn('local', forged, begun.state, start), undefined, forged)
    }
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, state) => {
        assert.equal(takeUpSignIn('local', text, state, start), undefined)
      }),
    )
    // Whoever makes up a cookie as a whole still gets to no other host.
    const made = beginSignIn('local', '//evil.example', start)
    assert.equal(takeUpSignIn('local', made.kept, made.begun.state, start), undefined)
  })

  it('is finished once, and what is remembered of that has a bound', () => {
    const finished = new FinishedSignIns()
    assert.equal(finished.finish('a'), true)
    assert.equal(finished.finish('a'), false)
    assert.equal(finished.finish('b'), true)
  })

  it('is in a cookie that goes to the host alone, and to no plugin', () => {
    const cookies = new SignInCookies(true)
    const [line = ''] = cookies.keep('abcdefghijkl', 'kept', undefined)
    assert.match(line, /^__Host-modulacms_signin_abcdefgh=kept; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/)
    const header = '__Host-modulacms_signin_abcdefgh=kept; theme=dark'
    assert.equal(cookies.read('abcdefghijkl', header), 'kept')
    assert.equal(new SignInCookies(false).read('abcdefghijkl', header), undefined)
    assert.equal(cookies.read('abcdefghijkl', 'modulacms_signin_abcdefgh=planted'), undefined)
    assert.equal(cookies.read('abcdefghijkl', `${header}; __Host-modulacms_signin_abcdefgh=2`), undefined)
    assert.deepEqual(usualCredentials.strip(['Cookie', header]), ['Cookie', 'theme=dark'])
  })
})

describe('a path that a sign-in leads to', () => {
  it('is one of this host, however a browser reads it', () => {
    for (const path of ['/', '/a', '/a/b?c=d&e=%2F%2Fx#f', '/%C3%A9', '/a//b', '/a?next=https://b.example']) {
      assert.ok(isLocalPath(path), path)
    }
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom('/', '\\', '.', '..', '%2f', '%5c', '%09', '\t', '@', ':', 'https:', 'x', '?', '#'),
        ),
        (parts) => {
          const text = parts.join('')
          if (!isLocalPath(text)) return
          assert.equal(new URL(text, 'https://app.example').origin, 'https://app.example')
          // As if something in between resolved what is encoded.
          const decoded = decodeURIComponent(text.split(/[?#]/, 1)[0] ?? '')
          assert.equal(new URL(decoded, 'https://app.example').origin, 'https://app.example')
        },
      ),
    )
  })
})

describe('the user of somebody at a provider', () => {
  it('has a name that can be stored, whatever they are called there', () => {
    fc.assert(
      fc.property(
        fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
        fc.string(),
        (wanted, subject) => {
          const names = derivedUsernames('https://id.example', subject, wanted)
          assert.equal(new Set(names).size, names.length)
          const [first = '', ...others] = names
          if (!['admin', 'anonymous'].includes(first.toLowerCase())) checkUserFields({ username: first })
          for (const username of others) checkUserFields({ username })
        },
      ),
    )
  })

  it('has no built-in role but by a map', () => {
    const map = new Map([['boss', ['admin', 'editor']]])
    const none = { realm: false, clients: [] }
    const roles = [
      'admin',
      'owner',
      'operator',
      'auditor',
      'user',
      'boss',
      'editor',
      'constructor',
      'toString',
    ]
    assert.deepEqual(rolesHere(roles, { ...none, map: new Map() }), [
      'user',
      'boss',
      'editor',
      'constructor',
      'toString',
    ])
    assert.deepEqual(rolesHere(['boss', 'editor'], { ...none, map }), ['admin', 'editor'])
  })
})
