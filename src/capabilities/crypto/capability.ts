import { type Capability, defineCapability } from '../define.js'
import { cryptoClasses } from './class-docs.js'
import { digestFunctions } from './digest-functions.js'
import { encodingFunctions } from './encoding-functions.js'
import { createJwtFunctions } from './jwt-functions.js'
import { passwordFunctions } from './password-functions.js'
import { randomFunctions } from './random-functions.js'

/** Creates the Lua module `crypto`. */
export function createCryptoCapability(): Capability {
  return defineCapability({
    name: 'crypto',
    doc: [
      'Random values, digests, signatures, encodings, passwords and tokens. Strings are bytes, as everywhere in Lua. Keys',
      'belong into the configuration, from where `secrets.get` gives them, not into the code.',
    ].join('\n'),
    functions: [
      ...randomFunctions,
      ...digestFunctions,
      ...encodingFunctions,
      ...passwordFunctions,
      ...createJwtFunctions(),
    ],
    classes: cryptoClasses,
  })
}
