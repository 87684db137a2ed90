import { pluginAuthLimits } from '../../base/limits/auth.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { readOptions } from '../kv/options.js'
import { type AuthKind, authKinds, type CredentialPlace, checkAuthName } from './auth-rules.js'

/**
 * Registers an authenticator.
 *
 * @throws LuaRaise for a name that is taken or malformed, and for options that mean nothing.
 */
export function registerAuthenticator(
  call: Call,
  name: LuaValue,
  handler: LuaValue,
  options: LuaValue,
): undefined {
  guarded('authenticator', () => {
    const given = readOptions(options, ['header', 'bearer'])
    const header = readOption('header', given.header, /^[!#$%&'*+.^_`|~\w-]+$/)?.toLowerCase()
    const bearer = readOption('bearer', given.bearer, /^[\w.~+/-]+$/)
    const place: CredentialPlace = {
      ...(header !== undefined && { header }),
      ...(bearer !== undefined && { bearer }),
    }
    register(call, 'authenticator', name, handler, { ...place })
  })
}

/** Registers an authorizer. */
export function registerAuthorizer(call: Call, name: LuaValue, handler: LuaValue): undefined {
  guarded('authorizer', () => register(call, 'authorizer', name, handler, {}))
}

/** Registers a predicate that conditions of policies ask. */
export function registerPolicy(call: Call, name: LuaValue, handler: LuaValue): undefined {
  guarded('policy', () => register(call, 'policy', name, handler, {}))
}

function register(
  call: Call,
  kind: AuthKind,
  name: LuaValue,
  handler: LuaValue,
  data: Readonly<Record<string, string>>,
): void {
  if (typeof name !== 'string') throw new LuaRaise('the name must be UTF-8 text')
  const fault = checkAuthName(kind, name)
  if (fault !== undefined) throw new LuaRaise(fault)
  const { registrationsMax } = pluginAuthLimits
  const own = call.registrations.filter((each) => (authKinds as readonly string[]).includes(each.kind))
  if (own.length >= registrationsMax) {
    throw new LuaRaise(`a plugin may have ${registrationsMax} authenticators, authorizers and predicates`)
  }
  if (own.some((each) => each.kind === kind && each.key === name)) {
    throw new LuaRaise(`the name ${JSON.stringify(name)} is taken: give each its own`)
  }
  if (!(handler instanceof FunctionRef)) throw new LuaRaise('a function is expected')
  call.register({ kind, key: name, data }, handler.ref)
}

function readOption(name: string, value: LuaValue, shape: RegExp): string | undefined {
  if (value === undefined) return undefined
  const { optionCharactersMax: max } = pluginAuthLimits
  if (typeof value === 'string' && value.length <= max && shape.test(value)) return value
  throw new LuaRaise(`${name} must be a text of at most ${max} characters as they stand in headers`)
}

function guarded(name: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    if (error instanceof LuaRaise) throw new LuaRaise(`auth.${name}: ${error.message}`)
    throw error
  }
}
