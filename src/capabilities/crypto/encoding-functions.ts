import { failure, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition } from '../define.js'
import { bytesOf } from './values.js'

type TextEncoding = 'hex' | 'base64' | 'base64url'

const descriptions: Readonly<Record<TextEncoding, { writes: string; refuses: string }>> = {
  base64: {
    writes: 'Writes bytes as base64 (RFC 4648, section 4), with padding and without line breaks.',
    refuses: 'line breaks, missing padding, and bits beyond the last byte that are not zero',
  },
  base64url: {
    writes: 'Writes bytes as base64url (RFC 4648, section 5), without padding, as tokens and URLs have it.',
    refuses: 'padding, the characters `+` and `/`, and bits beyond the last byte that are not zero',
  },
  hex: {
    writes: 'Writes bytes as hexadecimal digits in lower case.',
    refuses: 'an odd number of digits',
  },
}

/** The functions that write bytes as text, and read them again. */
export const encodingFunctions: readonly FunctionDefinition[] = (
  ['base64', 'base64url', 'hex'] as const
).flatMap((encoding) => [encoder(encoding), decoder(encoding)])

function encoder(encoding: TextEncoding): FunctionDefinition {
  return {
    name: `${encoding}_encode`,
    doc: descriptions[encoding].writes,
    params: [{ name: 'data', type: 'string', doc: 'Bytes.' }],
    returns: [{ luaType: 'string', doc: 'Text.' }],
    phases,
    cost: 0,
    mode: 'sync',
    example: `local text = crypto.${encoding}_encode(crypto.random_bytes(16))`,
    handler: (_call, data) => bytesOf(data).toString(encoding),
  }
}

function decoder(encoding: TextEncoding): FunctionDefinition {
  const name = `${encoding}_decode`
  return {
    name,
    doc: [
      `Reads what \`${encoding}_encode\` writes, and nothing else: each byte string has one text${encoding === 'hex' ? ', but for the case of its letters' : ''}. Gives nil and`,
      `a reason for any other character, ${descriptions[encoding].refuses}.`,
    ].join('\n'),
    params: [{ name: 'text', type: 'string', doc: 'Text.' }],
    returns: [
      { luaType: 'string?', doc: 'Bytes; nil when the text is not well formed.' },
      { luaType: 'string?', doc: 'Why there are none.' },
    ],
    phases,
    cost: 0,
    mode: 'sync',
    example: [
      `local data, err = crypto.${name}(req.query.data or "")`,
      'if not data then return { status = 400, json = { error = err } } end',
    ].join('\n'),
    handler: (_call, text) => decodedOr(encoding, text),
  }
}

function decodedOr(encoding: TextEncoding, text: LuaValue): LuaValue | Results {
  return decodeStrictly(encoding, text) ?? failure(`the text is no well-formed ${encoding}`)
}

/** Reads text that an encoder could have written; undefined for any other. Takes time linear in its length. */
export function decodeStrictly(encoding: TextEncoding, text: LuaValue): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  // Node reads what it can and leaves out the rest: only a text that comes back the same was well formed.
  const bytes = Buffer.from(text, encoding)
  const given = encoding === 'hex' ? text.toLowerCase() : text
  return bytes.toString(encoding) === given ? bytes : undefined
}
