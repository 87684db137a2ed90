import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { cryptoLimits } from '../../base/limits/crypto.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition } from '../define.js'
import { misuse } from './values.js'

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const common = { phases, cost: 0, mode: 'sync' } as const

/** The functions that nobody can predict. */
export const randomFunctions: readonly FunctionDefinition[] = [
  {
    ...common,
    name: 'random_bytes',
    doc: [
      "Gives bytes of the operating system's generator, fit for keys and tokens; `math.random` is not.",
      '',
      `Raises for more than ${cryptoLimits.randomBytesMax} at once.`,
    ].join('\n'),
    params: [{ name: 'count', type: 'integer', doc: 'How many bytes.' }],
    returns: [{ luaType: 'string', doc: 'Bytes; see `hex_encode` and `base64url_encode` for text.' }],
    example: 'local token = crypto.base64url_encode(crypto.random_bytes(32))',
    handler: (_call, count) =>
      randomBytes(readCount('crypto.random_bytes', count, cryptoLimits.randomBytesMax)),
  },
  {
    ...common,
    name: 'random_string',
    doc: [
      'Gives a text of characters that are drawn one by one, all equally likely.',
      '',
      `Raises for more than ${cryptoLimits.randomCharactersMax} characters, and for an alphabet that is not UTF-8, has a`,
      `character twice, or has less than 2 or more than ${cryptoLimits.alphabetCharactersMax}.`,
    ].join('\n'),
    params: [
      { name: 'count', type: 'integer', doc: 'How many characters.' },
      {
        name: 'alphabet',
        type: 'string',
        optional: true,
        doc: 'Characters to draw from; A-Z, a-z and 0-9 when missing.',
      },
    ],
    returns: [{ luaType: 'string', doc: 'Text.' }],
    example: 'local code = crypto.random_string(8, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")',
    handler: (_call, count, alphabet) => randomString(count, alphabet),
  },
  {
    ...common,
    name: 'uuid',
    doc: [
      'Gives a UUID (RFC 9562): of version 4, all random; or of version 7, which begins with the time in milliseconds and',
      "so sorts by it. `db.ulid` gives ids of the host's own kind. Raises for any other version.",
    ].join('\n'),
    params: [
      { name: 'version', type: 'integer', optional: true, luaType: '4|7', doc: 'Version; 4 when missing.' },
    ],
    returns: [{ luaType: 'string', doc: 'Text of 36 characters in lower case.' }],
    example: 'local id = crypto.uuid()',
    handler: (_call, version) => uuid(version),
  },
]

function readCount(name: string, count: LuaValue, max: number): number {
  if (typeof count === 'number' && count >= 0 && count <= max) return count
  throw misuse(name, `the count must be from 0 to ${max}, not ${String(count)}`)
}

function randomString(count: LuaValue, alphabet: LuaValue = alphanumeric): string {
  const name = 'crypto.random_string'
  const length = readCount(name, count, cryptoLimits.randomCharactersMax)
  if (typeof alphabet !== 'string') throw misuse(name, 'the alphabet must be UTF-8 text')
  const { alphabetCharactersMax: max } = cryptoLimits
  const characters = [...alphabet.slice(0, 2 * max + 2)]
  if (characters.length < 2 || characters.length > max || new Set(characters).size !== characters.length) {
    throw misuse(name, `the alphabet must have 2 to ${max} different characters`)
  }
  let text = ''
  for (let drawn = 0; drawn < length; drawn += 1) text += characters[randomInt(characters.length)]
  return text
}

function uuid(version: LuaValue): string {
  if (version === undefined || version === 4) return randomUUID()
  if (version === 7) return timedUuid(Date.now())
  throw misuse('crypto.uuid', `the version must be 4 or 7, not ${String(version)}`)
}

/** Makes a UUID of version 7. */
function timedUuid(nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
