import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { jwtVerify, SignJWT } from 'jose'
import { phases } from '../../../../src/sandbox/phase.js'
import { ToolVm } from '../../../helpers/tool-vm.js'

interface Pair {
  readonly algorithm: string
  readonly signing: unknown
  readonly verifying: unknown
  readonly joseSigning: KeyObject | Uint8Array
  readonly joseVerifying: KeyObject | Uint8Array
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const secret = 'a secret of sixty-four bytes that nobody else knows, long enough.'

const pem = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' }).toString()

const pairs: readonly Pair[] = [
  ...['HS256', 'HS384', 'HS512'].map((algorithm) => ({
    algorithm,
    signing: secret,
    verifying: secret,
    joseSigning: Buffer.from(secret),
    joseVerifying: Buffer.from(secret),
  })),
  ...[['RS256', rsa] as const, ['ES256', ec] as const, ['EdDSA', ed] as const].flatMap(
    ([algorithm, keys]) => [
      {
        algorithm,
        signing: pem(keys.privateKey),
        verifying: pem(keys.publicKey),
        joseSigning: keys.privateKey,
        joseVerifying: keys.publicKey,
      },
      {
        algorithm,
        signing: keys.privateKey.export({ format: 'jwk' }),
        verifying: JSON.stringify(keys.publicKey.export({ format: 'jwk' })),
        joseSigning: keys.privateKey,
        joseVerifying: keys.publicKey,
      },
    ],
  ),
]

let lua: ToolVm

before(async () => {
  lua = await ToolVm.create('', { operationsMax: 1_000_000 })
})

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** Verifies in Lua; gives the claims, or the reason as a text. */
async function verify(
  token: string,
  key: unknown,
  options: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const [claims, reason] = await lua.run('return crypto.jwt_verify(arg.token, arg.key, arg.options)', {
    token,
    key,
    options,
  })
  assert.ok((claims === undefined) !== (reason === undefined))
  return claims === undefined ? reason : { ...(claims as object) }
}

const hs = { algorithms: ['HS256'] }
const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token with a right signature of whatever is put into it. */
function forge(header: unknown, claims: unknown, key: string | Buffer = secret, digest = 'sha256'): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac(digest, key).update(signed).digest('base64url')}`
}

const valid = (more: object = {}): object => ({ sub: 'u1', exp: nowSeconds() + 600, ...more })
const hsHeader = { alg: 'HS256', typ: 'JWT' }

describe('jwt_sign', () => {
  it('makes tokens that the jose library accepts, with every kind of key', async () => {
    for (const { algorithm, signing, verifying, joseVerifying } of pairs) {
      const [token] = await lua.run(
        `return crypto.jwt_sign({ sub = "u1", aud = { "a", "b" }, n = 1 }, arg.signing,
          { algorithm = arg.algorithm, expires_in = 60.5, key_id = "k1" })`,
        { signing, algorithm },
      )
      const { payload, protectedHeader } = await jwtVerify(String(token), joseVerifying, {
        algorithms: [algorithm],
        audience: 'b',
      })
      assert.deepEqual(protectedHeader, { alg: algorithm, typ: 'JWT', kid: 'k1' })
      assert.equal(payload.sub, 'u1')
      assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
      const own = await verify(String(token), verifying, { algorithms: [algorithm], audience: 'a' })
      assert.equal((own as { sub: string }).sub, 'u1')
    }
  })

  it('keeps large integers, and claims that are given', async () => {
    const [token] = await lua.run(
      'return crypto.jwt_sign({ id = 9007199254740993, iat = 5, exp = 4000000000 }, arg, { algorithm = "HS256" })',
      secret,
    )
    const claims = Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()
    assert.equal(claims, '{"exp":4000000000,"iat":5,"id":9007199254740993}')
    const [id] = await lua.run(
      'return tostring(crypto.jwt_verify(arg.token, arg.secret, { algorithms = { "HS256" } }).id)',
      { token, secret },
    )
    assert.equal(id, '9007199254740993')
  })

  it('raises for what cannot be signed', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{}, arg, {}', /algorithm is required/],
      ['{}, arg, nil', /algorithm is required/],
      ['{}, arg, { algorithm = "none" }', /no algorithm "none"/],
      ['{}, arg, { algorithm = "hs256" }', /no algorithm "hs256"/],
      ['{}, arg, { algorithm = "HS256", exp = 1 }', /unknown option "exp"/],
      ['{}, arg, { algorithm = "HS256", expires_in = -1 }', /number of seconds/],
      ['{}, arg, { algorithm = "HS256", expires_in = 0/0 }', /number of seconds/],
      ['{ exp = 1 }, arg, { algorithm = "HS256", expires_in = 1 }', /mutually exclusive/],
      ['{ 1, 2 }, arg, { algorithm = "HS256" }', /claims must be a table with named fields/],
      ['{ f = 0/0 }, arg, { algorithm = "HS256" }', /claims: /],
      ['{ f = string.rep("x", 20000) }, arg, { algorithm = "HS256" }', /longer than 16384 bytes/],
      ['{}, "short", { algorithm = "HS256" }', /HS256 needs 32 bytes or more; it has 5/],
      ['{}, string.rep("x", 63), { algorithm = "HS512" }', /HS512 needs 64 bytes or more; it has 63/],
      ['{}, string.rep("x", 20000), { algorithm = "HS256" }', /more than 16384 bytes/],
      ['{}, arg, { algorithm = "RS256" }', /private key as one PEM text/],
      ['{}, 5, { algorithm = "HS256" }', /must be a string or a JWK/],
      ['{}, nil, { algorithm = "HS256" }', /must be a string or a JWK/],
      ['{}, { kty = "oct", k = "!" }, { algorithm = "HS256" }', /"kty" = "oct"/],
    ]
    for (const [given, message] of cases) {
      assert.match(await lua.error(`return crypto.jwt_sign(${given})`, secret), message, given)
    }
    const misfits: readonly (readonly [string, unknown, RegExp])[] = [
      ['RS256', pem(rsa.publicKey), /private key as one PEM text/],
      ['RS256', pem(ec.privateKey), /RS256 needs a key of the kind rsa; this one is ec/],
      ['ES256', pem(rsa.privateKey), /ES256 needs a key of the kind ec; this one is rsa/],
      ['EdDSA', pem(ec.privateKey), /EdDSA needs a key of the kind ed25519/],
      ['HS256', pem(rsa.privateKey), /must be a shared secret/],
      ['RS256', rsa.publicKey.export({ format: 'jwk' }), /is no private key/],
      ['RS256', { ...rsa.privateKey.export({ format: 'jwk' }), use: 'enc' }, /not for signatures/],
      ['RS256', { ...rsa.privateKey.export({ format: 'jwk' }), alg: 'RS512' }, /for another algorithm/],
      ['RS256', { ...rsa.privateKey.export({ format: 'jwk' }), key_ops: ['verify'] }, /key_ops/],
    ]
    for (const [algorithm, key, message] of misfits) {
      const code = 'return crypto.jwt_sign({}, arg.key, { algorithm = arg.algorithm })'
      assert.match(await lua.error(code, { key, algorithm }), message)
    }
  })

  it('is there in every phase that can wait', async () => {
    const code = 'return #crypto.jwt_sign({}, arg, { algorithm = "HS256" }) > 0'
    for (const phase of phases.filter((each) => each !== 'manifest' && each !== 'module')) {
      assert.deepEqual(await lua.run(code, secret, phase), [true], phase)
    }
    const sorted =
      'table.sort({ 1, 2, 3 }, function() return crypto.jwt_sign({}, arg, { algorithm = "HS256" }) == "" end)'
    assert.match(await lua.error(sorted, secret), /this function waits, which is not possible/)
  })

  it('is not there at module scope', async () => {
    await assert.rejects(
      ToolVm.create('crypto.jwt_sign({}, "x", { algorithm = "HS256" })'),
      /at module scope/,
    )
  })
})

describe('jwt_verify', () => {
  it('accepts what the jose library signs, with every kind of key', async () => {
    for (const { algorithm, verifying, joseSigning } of pairs) {
      const token = await new SignJWT({ sub: 'u1', n: 1.5, list: [1, null] })
        .setProtectedHeader({ alg: algorithm })
        .setIssuer('me')
        .setExpirationTime('1m')
        .sign(joseSigning)
      const claims = await verify(token, verifying, { algorithms: [algorithm], issuer: ['you', 'me'] })
      assert.equal((claims as { n: number }).n, 1.5, algorithm)
    }
  })

  it('accepts the example of RFC 7515, appendix A.1, but for its end', async () => {
    const token =
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    const key = {
      kty: 'oct',
      k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    }
    assert.equal(await verify(token, key, hs), 'the token has expired')
    // The same bytes, but for bits that no byte has.
    for (const end of ['l', 'm', 'n', 'k=', 'k\n', 'k.']) {
      assert.match(String(await verify(token.slice(0, -1) + end, key, hs)), /three parts in base64url/, end)
    }
    assert.equal(await verify(`A${token.slice(1)}`, key, hs), 'the header of the token is no JSON object')
  })

  it('accepts the example of RFC 8037, appendix A.4, as a signature', async () => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    const token =
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
    // Its payload is a text, and no claims.
    assert.equal(
      await verify(token, key, { algorithms: ['EdDSA'] }),
      'the claims of the token are no JSON object',
    )
  })

  it('refuses a wrong signature, a wrong key, and a signature of another algorithm', async () => {
    const token = forge(hsHeader, valid())
    assert.equal(await verify(token, `${secret}x`, hs), 'the signature does not match')
    assert.match(
      String(await verify(token, secret, { algorithms: ['HS384', 'HS512'] })),
      /algorithm of the token is not allowed/,
    )
    const [head = '', , signature = ''] = token.split('.')
    assert.equal(
      await verify(`${head}.${part(valid({ sub: 'u2' }))}.${signature}`, secret, hs),
      'the signature does not match',
    )
    assert.equal(
      await verify(`${token.slice(0, token.lastIndexOf('.'))}.`, secret, hs),
      'the signature does not match',
    )
    const signed = `${part({ alg: 'RS256' })}.${part(valid())}`
    const good = sign('sha256', Buffer.from(signed), rsa.privateKey).toString('base64url')
    assert.equal(
      typeof (await verify(`${signed}.${good}`, pem(rsa.publicKey), { algorithms: ['RS256'] })),
      'object',
    )
    assert.equal(
      await verify(`${signed}.${good}`, pem(otherRsa.publicKey), { algorithms: ['RS256'] }),
      'the signature does not match',
    )
  })

  it('refuses signatures of ECDSA that are zero, in DER, too short or too long', async () => {
    const signed = `${part({ alg: 'ES256' })}.${part(valid())}`
    const der = sign('sha256', Buffer.from(signed), ec.privateKey)
    const plain = sign('sha256', Buffer.from(signed), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
    const options = { algorithms: ['ES256'] }
    assert.equal(
      typeof (await verify(`${signed}.${plain.toString('base64url')}`, pem(ec.publicKey), options)),
      'object',
    )
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const wrong = [
      Buffer.alloc(64),
      der,
      plain.subarray(1),
      Buffer.concat([plain, Buffer.alloc(1)]),
      Buffer.alloc(0),
      Buffer.concat([order, order]),
      Buffer.concat([Buffer.alloc(32), plain.subarray(32)]),
    ]
    for (const signature of wrong) {
      const reason = await verify(`${signed}.${signature.toString('base64url')}`, pem(ec.publicKey), options)
      assert.equal(reason, 'the signature does not match')
    }
  })

  it('checks times, and forgives what clocks may differ', async () => {
    const now = nowSeconds()
    const cases: readonly (readonly [object, object, string | undefined])[] = [
      [{ exp: now - 30 }, {}, undefined],
      [{ exp: now - 90 }, {}, 'the token has expired'],
      [{ exp: now - 2 }, { clock_skew: 0 }, 'the token has expired'],
      [{ exp: now - 200 }, { clock_skew: 300 }, undefined],
      [{ nbf: now + 30 }, {}, undefined],
      [{ nbf: now + 90 }, {}, 'the token is not valid yet'],
      [{ iat: now + 90 }, {}, 'the token is from the future: see its claim "iat"'],
      [{ iat: now - 500 }, { max_age: 100 }, 'the token is older than max_age'],
      [{ iat: now - 50 }, { max_age: 100 }, undefined],
      [{}, { max_age: 100 }, 'the token has no claim "iat"'],
      [{ exp: undefined }, {}, 'the token never expires: it has no claim "exp"'],
      [{ exp: undefined }, { allow_no_expiry: true }, undefined],
    ]
    for (const [claims, options, expected] of cases) {
      const result = await verify(forge(hsHeader, valid(claims)), secret, { ...hs, ...options })
      assert.equal(
        typeof result === 'object' ? undefined : result,
        expected,
        JSON.stringify([claims, options]),
      )
    }
  })

  it('checks who a token is from and for', async () => {
    const cases: readonly (readonly [object, object, string | undefined])[] = [
      [{ aud: 'a' }, { audience: 'a' }, undefined],
      [{ aud: ['x', 'a'] }, { audience: ['b', 'a'] }, undefined],
      [{ aud: 'a' }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{ aud: ['a', 'c'] }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{ aud: [] }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{ aud: { b: 1 } }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{ aud: [['b']] }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{ aud: 'bc' }, { audience: 'b' }, 'the claim "aud" is not what is expected'],
      [{}, { audience: 'b' }, 'the token has no claim "aud"'],
      [{ aud: 'a' }, {}, 'the token is for an audience: give the option "audience"'],
      [{ iss: 'me' }, { issuer: 'me' }, undefined],
      [{ iss: 'me/' }, { issuer: 'me' }, 'the claim "iss" is not what is expected'],
      [{ iss: ['me'] }, { issuer: 'me' }, 'the claim "iss" is no text'],
      [{}, { issuer: 'me' }, 'the token has no claim "iss"'],
      [{ sub: 'u2' }, { subject: 'u1' }, 'the claim "sub" is not what is expected'],
      [{ sub: 5 }, {}, 'the claim "sub" is no text'],
      [{}, { required: ['sub', 'tenant'] }, 'the token has no claim "tenant"'],
      [{ tenant: null }, { required: ['tenant'] }, undefined],
    ]
    for (const [claims, options, expected] of cases) {
      const result = await verify(forge(hsHeader, valid(claims)), secret, { ...hs, ...options })
      assert.equal(
        typeof result === 'object' ? undefined : result,
        expected,
        JSON.stringify([claims, options]),
      )
    }
  })

  it('checks the type of the token', async () => {
    const cases: readonly (readonly [unknown, object, boolean])[] = [
      ['JWT', {}, true],
      ['jwt', {}, true],
      ['application/JWT', {}, true],
      [undefined, {}, true],
      ['at+jwt', {}, false],
      ['logout+jwt', {}, false],
      [5, {}, false],
      [null, {}, false],
      ['at+jwt', { typ: 'at+jwt' }, true],
      ['application/at+JWT', { typ: 'at+jwt' }, true],
      ['JWT', { typ: 'at+jwt' }, false],
      [undefined, { typ: 'at+jwt' }, false],
    ]
    for (const [typ, options, ok] of cases) {
      const result = await verify(forge({ alg: 'HS256', typ }, valid()), secret, { ...hs, ...options })
      assert.equal(typeof result === 'object', ok, String(typ))
    }
  })

  it('raises for options and keys that would make it weak', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{}', /algorithms is required/],
      ['nil', /algorithms is required/],
      ['{ algorithms = {} }', /algorithms is required/],
      ['{ algorithms = "HS256" }', /algorithms is required/],
      ['{ algorithms = { "none" } }', /no algorithm "none"/],
      ['{ algorithms = { "HS256", "RS256" } }', /HS256 and RS256 take different kinds of keys/],
      ['{ algorithms = { "ES256", "EdDSA" } }', /different kinds of keys/],
      ['{ algorithms = { "HS256", true } }', /no algorithm that/],
      ['{ algorithm = { "HS256" } }', /unknown option "algorithm"/],
      ['{ algorithms = { "HS256" }, audience = {} }', /audience must/],
      ['{ algorithms = { "HS256" }, audience = "" }', /audience must/],
      ['{ algorithms = { "HS256" }, issuer = { 5 } }', /issuer must/],
      ['{ algorithms = { "HS256" }, clock_skew = 301 }', /clock_skew must/],
      ['{ algorithms = { "HS256" }, clock_skew = "1" }', /clock_skew must/],
      ['{ algorithms = { "HS256" }, clock_skew = 0/0 }', /clock_skew must/],
      ['{ algorithms = { "HS256" }, allow_no_expiry = 1 }', /allow_no_expiry must/],
      ['{ algorithms = { "HS256" }, max_age = -1 }', /max_age must/],
    ]
    for (const [options, message] of cases) {
      assert.match(
        await lua.error(`return crypto.jwt_verify("x", arg, ${options})`, secret),
        message,
        options,
      )
    }
  })
})

describe('any text', () => {
  it('is refused as a token with a reason, never with an error', async () => {
    const token = forge(hsHeader, valid())
    const mutated = fc
      .tuple(fc.nat(token.length - 1), fc.constantFrom(...'.=+/AZaz09-_ {}"\u0000é'))
      .map(([at, character]) => token.slice(0, at) + character + token.slice(at + 1))
      .filter((text) => text !== token)
    const json = fc.jsonValue().map((value) => JSON.stringify(value))
    const shaped = fc.tuple(json, json).map(([header, claims]) => forge(header, claims))
    const headers = fc
      .dictionary(fc.constantFrom('alg', 'typ', 'crit', 'kid', 'b64', 'jwk', '__proto__'), fc.jsonValue())
      .map((header) => forge(JSON.stringify(header), valid()))
      .filter((text) => !text.startsWith(part({ alg: 'HS256' })))
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), mutated, shaped, headers), async (text) => {
        assert.equal(typeof (await verify(text, secret, hs)), 'string')
      }),
      { numRuns: 300 },
    )
    const [nothing, reason] = await lua.run(
      'return crypto.jwt_verify("\\255.\\254.", arg, { algorithms = { "HS256" } })',
      secret,
    )
    assert.equal(nothing, undefined)
    assert.match(String(reason), /malformed/)
  })

  it('takes a time that grows no faster than its length', async () => {
    const long = [
      '.'.repeat(2_000_000),
      `${'A'.repeat(1_000_000)}.${'A'.repeat(1_000_000)}.A`,
      `${part(hsHeader)}.${part(`${'['.repeat(5000)}`)}.AAAA`,
      forge(hsHeader, `{"exp":9999999999,"a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      forge(hsHeader, `{"exp":9999999999,"a":${'{"b":'.repeat(1500)}1${'}'.repeat(1500)}}`),
    ]
    for (const token of long) assert.equal(typeof (await verify(token, secret, hs)), 'string')
  })

  it('is refused as a key with an error that shows none of it', async () => {
    const pemOf = (label: string, bytes: Buffer): string =>
      `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`
    const labels = fc.constantFrom(
      'PUBLIC KEY',
      'PRIVATE KEY',
      'ENCRYPTED PRIVATE KEY',
      'RSA PRIVATE KEY',
      'CERTIFICATE',
    )
    const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
    const der = rsa.privateKey.export({ format: 'der', type: 'pkcs8' })
    const broken = fc
      .tuple(fc.nat(200), fc.nat(255))
      .map(([at, byte]) => Buffer.concat([der.subarray(0, at), Buffer.of(byte), der.subarray(at + 1)]))
    await fc.assert(
      fc.asyncProperty(
        labels,
        fc.oneof(bytes, broken),
        fc.constantFrom('RS256', 'ES256', 'EdDSA'),
        async (label, key, algorithm) => {
          const code = 'return crypto.jwt_sign({}, arg.key, { algorithm = arg.algorithm })'
          const result = await lua.attempt(code, { key: pemOf(label, key), algorithm }, 'request')
          if (result.ok) return
          assert.match(result.message, /crypto\.jwt_sign: .*key/)
          for (const shown of key.toString('base64').match(/.{12}/g) ?? [])
            assert.ok(!result.message.includes(shown))
        },
      ),
      { numRuns: 100 },
    )
  })
})
