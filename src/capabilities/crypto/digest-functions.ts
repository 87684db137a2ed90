import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { cryptoLimits } from '../../base/limits/crypto.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { Call, FunctionDefinition, ParamDoc } from '../define.js'
import { bytesOf, encoded, misuse, readEncoding } from './values.js'

const hmacAlgorithms = ['sha256', 'sha384', 'sha512', 'sha1'] as const

const dataParam: ParamDoc = { name: 'data', type: 'string', doc: 'Bytes.' }
const keyParam: ParamDoc = { name: 'key', type: 'string', doc: 'Bytes of the key that both sides share.' }
const optionsParam: ParamDoc = {
  name: 'options',
  type: 'any',
  optional: true,
  luaType: 'crypto.DigestOptions?',
  doc: 'How the result is written; hexadecimal when missing.',
}
const returns = [{ luaType: 'string', doc: 'The digest in the encoding that was asked for.' }]
const common = { phases, cost: 0, mode: 'sync', returns } as const
const cost = `Every ${cryptoLimits.bytesPerOperation} bytes count as an operation.`

/** The functions that make digests and compare them. */
export const digestFunctions: readonly FunctionDefinition[] = [
  digest('sha256', 'SHA-256'),
  digest('sha512', 'SHA-512'),
  {
    ...common,
    name: 'hmac',
    doc: [
      'Signs bytes with a shared key (RFC 2104). `sha1` is for webhooks of services that offer nothing newer. Compare the',
      `result with \`crypto.equal\`. ${cost} Raises for any other algorithm.`,
    ].join('\n'),
    params: [
      {
        name: 'algorithm',
        type: 'string',
        luaType: hmacAlgorithms.map((each) => `"${each}"`).join('|'),
        doc: 'Digest to sign with.',
      },
      keyParam,
      dataParam,
      optionsParam,
    ],
    example:
      'local mac = crypto.hmac("sha512", secrets.get("partner_key"), req.body, { encoding = "base64" })',
    handler: (call, algorithm, key, data, options) =>
      hmac(call, 'crypto.hmac', { algorithm, key, data, options }),
  },
  {
    ...common,
    name: 'hmac_sha256',
    doc: `Signs bytes with a shared key and SHA-256; the same as \`crypto.hmac("sha256", ...)\`. ${cost}`,
    params: [keyParam, dataParam, optionsParam],
    example: [
      'local expected = crypto.hmac_sha256(secrets.get("webhook_key"), req.body)',
      'if not crypto.equal(expected, req.headers["x-signature"] or "") then return { status = 401 } end',
    ].join('\n'),
    handler: (call, key, data, options) =>
      hmac(call, 'crypto.hmac_sha256', { algorithm: 'sha256', key, data, options }),
  },
  {
    ...common,
    name: 'equal',
    doc: [
      'Compares two byte strings in a time that does not tell where they differ: for signatures, tokens and whatever else',
      'a sender could guess byte by byte. Strings of different lengths are not equal.',
    ].join('\n'),
    params: [
      { name: 'a', type: 'string', doc: 'Bytes.' },
      { name: 'b', type: 'string', doc: 'Bytes.' },
    ],
    returns: [{ luaType: 'boolean', doc: 'True when they are the same.' }],
    example: 'local ok = crypto.equal(given, expected)',
    handler: (call, a, b) => isEqual(call, bytesOf(a), bytesOf(b)),
  },
]

function digest(algorithm: 'sha256' | 'sha512', title: string): FunctionDefinition {
  const name = `crypto.${algorithm}`
  return {
    ...common,
    name: algorithm,
    doc: `Makes the ${title} digest of bytes. Not for passwords: see \`argon2_hash\`. ${cost}`,
    params: [dataParam, optionsParam],
    example: `local etag = crypto.${algorithm}(body, { encoding = "base64url" })`,
    handler(call, data, options) {
      const encoding = readEncoding(name, options)
      const bytes = bytesOf(data)
      chargeBytes(call, bytes.length)
      return encoded(createHash(algorithm).update(bytes).digest(), encoding)
    },
  }
}

interface HmacArguments {
  readonly algorithm: LuaValue
  readonly key: LuaValue
  readonly data: LuaValue
  readonly options: LuaValue
}

function hmac(call: Call, name: string, given: HmacArguments): LuaValue {
  const algorithm = hmacAlgorithms.find((each) => each === given.algorithm)
  if (algorithm === undefined) throw misuse(name, `the algorithm must be one of ${hmacAlgorithms.join(', ')}`)
  const encoding = readEncoding(name, given.options)
  const [key, data] = [bytesOf(given.key), bytesOf(given.data)]
  chargeBytes(call, key.length + data.length)
  return encoded(createHmac(algorithm, key).update(data).digest(), encoding)
}

function isEqual(call: Call, a: Buffer, b: Buffer): boolean {
  chargeBytes(call, a.length + b.length)
  // Digests have one length, whatever the lengths of what was given.
  const [first, second] = [a, b].map((bytes) => createHash('sha256').update(bytes).digest())
  return first !== undefined && second !== undefined && timingSafeEqual(first, second)
}

function chargeBytes(call: Call, bytes: number): void {
  const operations = Math.floor(bytes / cryptoLimits.bytesPerOperation)
  if (operations > 0) call.budget.charge(operations)
}
