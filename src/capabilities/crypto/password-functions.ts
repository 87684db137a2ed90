import { passwordHashLimits } from '../../base/limits/crypto.js'
import { failure, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { Call, FunctionDefinition, ParamDoc } from '../define.js'
import { passwordHashFault } from './password-hash.js'
import { misuse } from './values.js'
import { passwordTopics, type WireHashAnswer, type WireVerifyAnswer } from './wire.js'

const common = {
  phases: phases.filter((phase) => phase !== 'manifest' && phase !== 'module'),
  cost: passwordHashLimits.operations,
  mode: 'async',
} as const

const passwordParam: ParamDoc = {
  name: 'password',
  type: 'string',
  doc: `The password, UTF-8 text of ${passwordHashLimits.passwordBytesMax} bytes at most.`,
}

const limits = [
  `Counts as ${passwordHashLimits.operations} operations; ${passwordHashLimits.perCallMax} of both in a call. The host computes one at a time for each plugin, so`,
  'that many sign-ins at once wait for each other: nil and a reason when too many wait or the time of the call runs out.',
  'Raises for a longer password. Not allowed at module scope and inside `db.transaction`.',
].join('\n')

/** The functions for passwords. The host answers them. */
export const passwordFunctions: readonly FunctionDefinition[] = [
  {
    ...common,
    name: 'argon2_hash',
    doc: ['Hashes a password with Argon2id, to be stored and checked with `argon2_verify`.', '', limits].join(
      '\n',
    ),
    params: [passwordParam],
    returns: [
      { luaType: 'string?', doc: 'Encoded hash with its salt, e.g. `$argon2id$v=19$m=19456,t=2,p=1$...`.' },
      { luaType: 'string?', doc: 'Why there is none.' },
    ],
    example: 'db.insert("members", { email = email, password = assert(crypto.argon2_hash(password)) })',
    handler: (call, password) => hash(call, password),
  },
  {
    ...common,
    name: 'argon2_verify',
    doc: [
      'Checks a password against an encoded Argon2 hash (id, i or d, version 19).',
      '',
      `A hash says what its check costs: one that asks for more than ${passwordHashLimits.memoryKibMax} KiB, ${passwordHashLimits.passesMax} passes, ${passwordHashLimits.lanesMax} lanes or`,
      `${passwordHashLimits.workMax} KiB times passes is not checked and gives nil and a reason, as does what is no such hash.`,
      '',
      limits,
    ].join('\n'),
    params: [{ name: 'hash', type: 'string', doc: 'Encoded hash.' }, passwordParam],
    returns: [
      {
        luaType: 'boolean?',
        doc: 'True when the password is right, false when it is wrong; nil when it was not checked.',
      },
      { luaType: 'string?', doc: 'Why it was not checked.' },
    ],
    example: [
      'local member = db.query_one("members", { where = { email = email } })',
      'if not member or not crypto.argon2_verify(member.password, password) then return { status = 401 } end',
    ].join('\n'),
    handler: (call, encodedHash, password) => verify(call, encodedHash, password),
  },
]

async function hash(call: Call, given: LuaValue): Promise<LuaValue | Results> {
  const password = readPassword(call, 'crypto.argon2_hash', given)
  const answer = (await call.ask(passwordTopics.hash, { password })) as WireHashAnswer
  return 'error' in answer ? failure(answer.error) : answer.hash
}

async function verify(call: Call, encodedHash: LuaValue, given: LuaValue): Promise<LuaValue | Results> {
  const password = readPassword(call, 'crypto.argon2_verify', given)
  const hash = typeof encodedHash === 'string' ? encodedHash : ''
  const fault = passwordHashFault(hash)
  if (fault !== undefined) return failure(fault)
  const answer = (await call.ask(passwordTopics.verify, { password, hash })) as WireVerifyAnswer
  return 'error' in answer ? failure(answer.error) : answer.matches
}

/** Key of `HostCall.locals` for the hashes and checks of the call. */
const countLocal = 'crypto.passwords'

function readPassword(call: Call, name: string, password: LuaValue): string {
  const { passwordBytesMax, perCallMax } = passwordHashLimits
  if (typeof password !== 'string') throw misuse(name, 'the password must be UTF-8 text')
  const bytes = Buffer.byteLength(password)
  if (bytes > passwordBytesMax) {
    throw misuse(name, `the password has ${bytes} bytes; the limit is ${passwordBytesMax}`)
  }
  const count = Number(call.locals.get(countLocal) ?? 0) + 1
  if (count > perCallMax) throw misuse(name, `a call may hash or check ${perCallMax} passwords, not more`)
  call.locals.set(countLocal, count)
  return password
}
