import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, randomBytes } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { ToolVm } from '../../../helpers/tool-vm.js'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const secret = 'a secret of sixty-four bytes that nobody else knows, long enough.'
const hs = { algorithms: ['HS256'] }

let lua: ToolVm

before(async () => {
  lua = await ToolVm.create('', { operationsMax: 1_000_000 })
})

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const valid = (more: object = {}): object => ({
  sub: 'u1',
  exp: Math.floor(Date.now() / 1000) + 600,
  ...more,
})

function forge(header: unknown, claims: unknown, key: string | Buffer = secret): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

const verifyCode = 'return crypto.jwt_verify(arg.token, arg.key, arg.options)'

/** Gives why a token is refused; fails when it is not. */
async function refusal(token: string, key: unknown = secret, options: object = hs): Promise<string> {
  const [claims, reason] = await lua.run(verifyCode, { token, key, options })
  assert.equal(claims, undefined, `accepted: ${token}`)
  return String(reason)
}

describe('forged tokens', () => {
  it('cannot do without a signature, however "none" is written', async () => {
    for (const alg of [
      'none',
      'None',
      'NONE',
      'nOnE',
      'noNe',
      ' none',
      'none ',
      '',
      null,
      0,
      true,
      [],
      ['HS256'],
      {},
    ]) {
      for (const token of [
        `${part({ alg })}.${part(valid())}.`,
        `${part({ alg })}.${part(valid())}`,
        forge({ alg }, valid()),
        forge({ alg }, valid(), ''),
      ]) {
        assert.match(await refusal(token), /algorithm of the token|malformed/)
      }
    }
    assert.match(await refusal(forge({ typ: 'JWT' }, valid())), /algorithm of the token/)
    assert.match(await refusal(forge({ alg: 'hs256' }, valid())), /algorithm of the token/)
    assert.match(await refusal(forge('{"__proto__":{"alg":"HS256"}}', valid())), /algorithm of the token/)
    // The last of two counts.
    assert.match(await refusal(forge('{"alg":"HS256","alg":"none"}', valid())), /algorithm of the token/)
  })

  it('cannot use a public key as the secret of an HMAC', async () => {
    const text = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()
    const confused = forge({ alg: 'HS256' }, valid(), text)
    assert.match(
      await refusal(confused, text, { algorithms: ['RS256'] }),
      /algorithm of the token is not allowed/,
    )
    for (const form of publicForms(rsa.publicKey)) {
      const code = 'return crypto.jwt_verify(arg.token, arg.key, arg.options)'
      const arg = { token: forge({ alg: 'HS256' }, valid(), form), key: form, options: hs }
      assert.match(await lua.error(code, arg), /must be a shared secret|"kty" = "oct"/, form.slice(0, 40))
    }
    const der = rsa.publicKey.export({ format: 'der', type: 'spki' })
    assert.match(
      await lua.error('return crypto.jwt_verify("x", (...), { algorithms = { "HS256" } })', der),
      /must be a shared secret/,
    )
    assert.match(
      await lua.error(verifyCode, { token: '', key: rsa.publicKey.export({ format: 'jwk' }), options: hs }),
      /"kty" = "oct"/,
    )
  })

  it('cannot bring their own key', async () => {
    const jwk = { kty: 'oct', k: Buffer.from('x'.repeat(64)).toString('base64url') }
    const own = 'x'.repeat(64)
    const headers: object[] = [
      { jwk },
      { jwk: rsa.publicKey.export({ format: 'jwk' }) },
      { jku: 'http://127.0.0.1:1/keys' },
      { x5u: 'http://127.0.0.1:1/cert' },
      { x5c: ['MIIB'] },
      { kid: '../../../../dev/null' },
      { kid: "x' UNION SELECT 'key" },
      { kid: { k: own } },
      { 'x5t#S256': 'AAAA' },
    ]
    for (const header of headers) {
      assert.equal(
        await refusal(forge({ alg: 'HS256', ...header }, valid(), own)),
        'the signature does not match',
      )
      assert.equal(
        await refusal(forge({ alg: 'HS256', ...header }, valid(), '')),
        'the signature does not match',
      )
      const [claims] = await lua.run(verifyCode, {
        token: forge({ alg: 'HS256', ...header }, valid()),
        key: secret,
        options: hs,
      })
      assert.ok(claims !== undefined, 'what is not looked at is no reason to refuse a token')
    }
  })

  it('cannot have critical headers, nor a payload that is not encoded', async () => {
    for (const crit of [['exp'], ['b64'], [], 'exp', null, ['http://example.com/x'], ['alg', 'alg']]) {
      assert.match(await refusal(forge({ alg: 'HS256', crit, exp: 1 }, valid())), /critical/)
    }
    assert.match(await refusal(forge({ alg: 'HS256', crit: ['b64'], b64: false }, valid())), /critical/)
    for (const b64 of [false, true, null]) {
      assert.match(await refusal(forge({ alg: 'HS256', b64 }, valid())), /"b64"/)
    }
    const head = part({ alg: 'HS256', b64: false, crit: ['b64'] })
    const claims = JSON.stringify(valid())
    const mac = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url')
    await refusal(`${head}.${claims}.${mac}`)
    await refusal(`${head}..${mac}`)
  })

  it('cannot live for ever by times that are no times', async () => {
    const odd = [
      '1e400',
      '-1e400',
      '1e308',
      '9007199254740993',
      '253402300800',
      '"9999999999"',
      'null',
      '[]',
      '{}',
      'true',
      '-1',
    ]
    for (const time of odd) {
      for (const claim of ['exp', 'nbf', 'iat']) {
        const others = claim === 'exp' ? '' : '"exp":9999999999,'
        assert.match(
          await refusal(forge({ alg: 'HS256' }, `{${others}"${claim}":${time}}`)),
          /is no time/,
          `${claim} ${time}`,
        )
      }
    }
    const claims = `{"exp":9999999999,"exp":1}`
    assert.equal(await refusal(forge({ alg: 'HS256' }, claims)), 'the token has expired')
    // A second name that only looks the same is another claim.
    assert.match(
      await refusal(forge({ alg: 'HS256' }, '{"Exp":9999999999,"exp ":9999999999}')),
      /never expires/,
    )
  })

  it('cannot be written in another way', async () => {
    const token = forge({ alg: 'HS256' }, valid())
    const [head = '', claims = '', mac = ''] = token.split('.')
    const others = [
      `${token}.`,
      `.${token}`,
      ` ${token}`,
      `${token}\n`,
      `${token}\u0000`,
      `${token}=`,
      `Bearer ${token}`,
      `${head}=.${claims}.${mac}`,
      `${head}.${claims}.${mac}.${mac}`,
      `${head}.${claims}.${mac}.`,
      `${head}..${mac}`,
      `${head}.${claims}.${mac}AA`,
      `${head} .${claims}.${mac}`,
      JSON.stringify({ payload: claims, protected: head, signature: mac }),
      JSON.stringify({ payload: claims, signatures: [{ protected: head, signature: mac }] }),
    ]
    for (const other of others) await refusal(other)
    for (const text of [
      '\u{feff}{"alg":"HS256"}',
      '{"alg":"HS256"}\u0000',
      '[{"alg":"HS256"}]',
      '"HS256"',
      'null',
      '',
      '{"alg":"HS256"',
    ]) {
      assert.match(await refusal(forge(text, valid())), /header/)
      assert.match(await refusal(forge({ alg: 'HS256' }, text)), /claims|never expires/)
    }
    const broken = Buffer.from('{"alg":"HS256","x":"\xff"}', 'latin1')
    const signed = `${broken.toString('base64url')}.${claims}`
    const own = createHmac('sha256', secret).update(signed).digest('base64url')
    assert.match(await refusal(`${signed}.${own}`), /header of the token is no JSON/)
  })

  it('cannot put anything into the prototypes of the host', async () => {
    const claims = '{"exp":9999999999,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    const [found] = await lua.run(
      'return crypto.jwt_verify(arg.token, arg.key, { algorithms = { "HS256" } })["__proto__"].polluted',
      { token: forge({ alg: 'HS256' }, claims), key: secret },
    )
    assert.equal(found, 1)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })
})

/** The forms in which people hand out a public key. */
function publicForms(key: KeyObject): readonly string[] {
  const text = key.export({ format: 'pem', type: 'spki' }).toString()
  const body = text.split('\n').slice(1, -2)
  return [
    text,
    `  \n${text}`,
    text.replaceAll('\n', '\r\n'),
    key.export({ format: 'pem', type: 'pkcs1' }).toString(),
    body.join('\n'),
    body.join(''),
    `${body.join('\n')}\n`,
    key.export({ format: 'der', type: 'pkcs1' }).toString('base64'),
    JSON.stringify(key.export({ format: 'jwk' })),
    ` ${JSON.stringify(key.export({ format: 'jwk' }), null, 2)}`,
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDCmsq3 somebody@somewhere',
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI somebody',
  ]
}

describe('keys of plugins', () => {
  const signing = (key: unknown): object => ({ key, algorithm: 'RS256' })
  const signCode = 'return crypto.jwt_sign({}, arg.key, { algorithm = arg.algorithm })'
  const verifying = (key: unknown, algorithm = 'RS256'): object => ({
    token: 'a.b.c',
    key,
    options: { algorithms: [algorithm] },
  })

  it('of RSA have a size within the limits', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
    assert.match(
      await lua.error(signCode, signing(small.privateKey.export({ format: 'jwk' }))),
      /2048 to 4096 bits; this one has 1024/,
    )
    const large = {
      ...rsa.privateKey.export({ format: 'jwk' }),
      n: Buffer.alloc(513, 0xff).toString('base64url'),
    }
    assert.match(await lua.error(signCode, signing(large)), /2048 to 4096 bits; this one has 4104/)
    const jwk = rsa.publicKey.export({ format: 'jwk' })
    const huge = Buffer.concat([Buffer.of(0xff), randomBytes(1099), Buffer.of(0x01)]).toString('base64url')
    assert.match(
      await lua.error(verifyCode, verifying({ ...jwk, n: huge })),
      /2048 to 8192 bits; this one has 8808/,
    )
    const exponents = [randomBytes(255), Buffer.of(1), Buffer.from('0100000001', 'hex'), Buffer.of(0)]
    for (const e of exponents) {
      assert.match(
        await lua.error(verifyCode, verifying({ ...jwk, e: e.toString('base64url') })),
        /exponent|cannot be read/,
      )
    }
  })

  it('of RSA have parts that fit their size, as those decide how long a signature takes', async () => {
    const jwk = rsa.privateKey.export({ format: 'jwk' })
    const long = Buffer.concat([Buffer.of(0xff), randomBytes(2000), Buffer.of(0x01)]).toString('base64url')
    const changes: Partial<JsonWebKey>[] = [
      { p: long, dp: long },
      { d: long },
      { q: long },
      { dq: long },
      { qi: long },
    ]
    for (const change of changes) {
      assert.match(
        await lua.error(signCode, signing({ ...jwk, ...change })),
        /longer than its size allows|cannot be read/,
      )
    }
  })

  it('are the half that is needed, alone, and not encrypted', async () => {
    const text = rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    const locked = rsa.privateKey
      .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString()
    const older = rsa.privateKey
      .export({ format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString()
    for (const key of [locked, older, `${text}${text}`, `x${text}`, '', '-----BEGIN PRIVATE KEY-----']) {
      assert.match(
        await lua.error(signCode, signing(key)),
        /must be the private key as one PEM|cannot be read/,
      )
    }
    assert.match(await lua.error(verifyCode, verifying(text)), /must be the public key as one PEM/)
    assert.match(
      await lua.error(verifyCode, verifying(rsa.privateKey.export({ format: 'jwk' }))),
      /is a private key/,
    )
    assert.match(
      await lua.error(verifyCode, verifying(text.replaceAll('PRIVATE', 'PUBLIC'))),
      /cannot be read/,
    )
  })

  it('of curves are on the one of the algorithm', async () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
    const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey
    const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' })
    const jwk = ec.publicKey.export({ format: 'jwk' })
    assert.match(await lua.error(verifyCode, verifying(p384, 'ES256')), /curve P-256/)
    const pem = koblitz.export({ format: 'pem', type: 'spki' }).toString()
    assert.match(await lua.error(verifyCode, verifying(pem, 'ES256')), /curve P-256/)
    assert.match(await lua.error(verifyCode, verifying(ed448, 'EdDSA')), /needs a key of the kind ed25519/)
    // No point of the curve.
    assert.match(await lua.error(verifyCode, verifying({ ...jwk, y: jwk.x }, 'ES256')), /cannot be read/)
    const psOnly = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
    const pss = psOnly.export({ format: 'pem', type: 'spki' }).toString()
    assert.match(
      await lua.error(verifyCode, verifying(pss)),
      /needs a key of the kind rsa; this one is rsa-pss/,
    )
  })
})
