import { cryptoLimits } from '../../base/limits/crypto.js'
import type { ClassDoc } from '../define.js'
import { encodings } from './values.js'

/** The classes of the stubs. */
export const cryptoClasses: readonly ClassDoc[] = [
  {
    name: 'crypto.DigestOptions',
    doc: 'How a digest is written. Any other field raises.',
    fields: [
      {
        name: 'encoding',
        luaType: `(${encodings.map((each) => `"${each}"`).join('|')})?`,
        doc: '`hex` when missing; `raw` gives the bytes themselves.',
      },
    ],
  },
  {
    name: 'crypto.SignOptions',
    doc: 'How a token is signed. Any other field raises.',
    fields: [
      {
        name: 'algorithm',
        luaType: '"HS256"|"HS384"|"HS512"|"RS256"|"ES256"|"EdDSA"',
        doc: 'Required. It must fit the kind of the key.',
      },
      {
        name: 'expires_in',
        luaType: 'number?',
        doc: 'Seconds until `exp`; without it the claims say, or the token never expires.',
      },
      { name: 'key_id', luaType: 'string?', doc: 'The header `kid`, by which a verifier finds the key.' },
      { name: 'typ', luaType: 'string?', doc: 'The header `typ`; `JWT` when missing.' },
    ],
  },
  {
    name: 'crypto.VerifyOptions',
    doc: 'What a token must be. Any other field raises.',
    fields: [
      {
        name: 'algorithms',
        luaType: '("HS256"|"HS384"|"HS512"|"RS256"|"ES256"|"EdDSA")[]',
        doc: 'Required: those that are accepted, all for one kind of key.',
      },
      {
        name: 'issuer',
        luaType: '(string|string[])?',
        doc: 'The `iss` that it must have, or several to choose from.',
      },
      {
        name: 'audience',
        luaType: '(string|string[])?',
        doc: 'What its `aud` must be or have, or several of which it must have one.',
      },
      { name: 'subject', luaType: 'string?', doc: 'The `sub` that it must have.' },
      { name: 'typ', luaType: 'string?', doc: 'The `typ` that its header must have, e.g. `at+jwt`.' },
      {
        name: 'clock_skew',
        luaType: 'number?',
        doc: `Seconds that clocks may differ by, ${cryptoLimits.clockSkewSeconds} when missing, ${cryptoLimits.clockSkewSecondsMax} at most.`,
      },
      { name: 'max_age', luaType: 'number?', doc: 'Seconds since its `iat`, which it must have then.' },
      { name: 'required', luaType: 'string[]?', doc: 'Further claims that it must have.' },
      { name: 'allow_no_expiry', luaType: 'boolean?', doc: 'True accepts a token without `exp`.' },
    ],
  },
]
