import { pluginAuthLimits } from '../../base/limits/auth.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import {
  type ClaimedDecision,
  type ClaimedIdentity,
  type ClaimedOutcome,
  type RefusalFault,
  refusalFaults,
  type TestIdentity,
} from './wire.js'

const identityFields: readonly string[] = [
  ...['type', 'id', 'name', 'email', 'tenant_id', 'roles', 'groups', 'attributes'],
]
const identityTypes = ['user', 'service', 'worker'] as const

/**
 * Reads what an authenticator returned.
 *
 * @throws LuaRaise for anything but nothing, `auth.none()`, `auth.fail(...)` and `auth.identity(...)`.
 */
export function readAuthOutcome(value: LuaValue): ClaimedOutcome {
  if (value === undefined || value === null) return { kind: 'none' }
  const { outcome, reason, message, identity } = asTable(
    value,
    'an authenticator must return nil, auth.none(), auth.fail() or auth.identity()',
  )
  if (outcome === 'none') return { kind: 'none' }
  if (outcome === 'identity') return { kind: 'identity', identity: readIdentity(identity) }
  if (outcome === 'fail') {
    const fault = refusalFaults.find((each) => each === reason)
    if (fault === undefined) {
      throw new LuaRaise(`auth.fail: the reason must be one of ${refusalFaults.join(', ')}`)
    }
    return { kind: 'fail', fault, message: readReason(message) ?? defaultMessages[fault] }
  }
  throw new LuaRaise('an authenticator must return nil, auth.none(), auth.fail() or auth.identity()')
}

const defaultMessages: Readonly<Record<RefusalFault, string>> = {
  invalid: 'The credential is not valid.',
  expired: 'The credential has expired.',
  revoked: 'The credential was revoked.',
  unsupported: 'The credential is not of a kind that is accepted here.',
}

/**
 * Reads what an authorizer returned; nothing is a denial.
 *
 * @throws LuaRaise for anything but nothing, a boolean, `auth.allow()` and `auth.deny(...)`.
 */
export function readDecision(value: LuaValue): ClaimedDecision {
  if (value === true) return { allows: true, reason: '' }
  if (value === false || value === undefined || value === null)
    return { allows: false, reason: 'it is not allowed' }
  const { outcome, reason } = asTable(
    value,
    'an authorizer must return a boolean, auth.allow() or auth.deny()',
  )
  if (outcome === 'allow') return { allows: true, reason: '' }
  if (outcome === 'deny') return { allows: false, reason: readReason(reason) ?? 'it is not allowed' }
  throw new LuaRaise('an authorizer must return a boolean, auth.allow() or auth.deny()')
}

/**
 * Reads what a predicate returned.
 *
 * @throws LuaRaise for anything but `true` and `false`: what is nearly one of them was meant otherwise.
 */
export function readTruth(value: LuaValue): boolean {
  if (typeof value === 'boolean') return value
  throw new LuaRaise('a predicate must return true or false, and nothing else')
}

function readIdentity(value: LuaValue): ClaimedIdentity {
  return new IdentityReader('auth.identity').read(value, identityTypes)
}

/** Reads somebody of a test: as `readIdentity`, and keys and the one who vouches can be named as well. */
export function readTestIdentity(value: LuaValue, title: string): TestIdentity {
  const reader = new IdentityReader(title)
  const claimed = reader.read(value, [...identityTypes, 'key'], ['authenticator'])
  return {
    ...claimed,
    authenticator: reader.text('authenticator', (value as LuaObject).authenticator) ?? 'test',
  }
}

class IdentityReader {
  readonly #title: string

  /** @param title What the fields belong to, for errors. */
  constructor(title: string) {
    this.#title = title
  }

  read<Type extends string>(
    value: LuaValue,
    types: readonly Type[],
    more: readonly string[] = [],
  ): Omit<ClaimedIdentity, 'kind'> & { readonly kind: Type } {
    const fields = asTable(value, `${this.#title}: the fields must be a table`)
    const known = [...identityFields, ...more]
    const unknown = Object.keys(fields).find((name) => !known.includes(name))
    if (unknown !== undefined) {
      const name = JSON.stringify(unknown.slice(0, 64))
      throw new LuaRaise(`${this.#title} has no field ${name}; it takes ${known.join(', ')}`)
    }
    const kind = types.find((each) => each === (fields.type ?? 'user'))
    if (kind === undefined) throw new LuaRaise(`${this.#title}: type must be one of ${types.join(', ')}`)
    const sub = this.text('id', fields.id)
    if (sub === undefined) throw new LuaRaise(`${this.#title}: id must be there`)
    const name = this.text('name', fields.name)
    const email = this.text('email', fields.email)
    const tenant = this.text('tenant_id', fields.tenant_id)
    return {
      kind,
      sub,
      ...(name !== undefined && { name }),
      ...(email !== undefined && { email }),
      ...(tenant !== undefined && { tenant }),
      roles: this.#texts('roles', fields.roles),
      groups: this.#texts('groups', fields.groups),
      claims: this.#claims(fields.attributes),
    }
  }

  text(name: string, value: LuaValue): string | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string') return value
    if (typeof value === 'number' && Number.isInteger(value)) return String(value)
    throw new LuaRaise(`${this.#title}: ${name} must be a text`)
  }

  #texts(name: string, value: LuaValue): readonly string[] {
    if (value === undefined || value === null) return []
    const isEmpty = typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0
    if (isEmpty) return []
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
      throw new LuaRaise(`${this.#title}: ${name} must be a list of texts`)
    }
    return value as readonly string[]
  }

  #claims(value: LuaValue): ClaimedIdentity['claims'] {
    if (value === undefined || value === null) return {}
    const table = asTable(value, `${this.#title}: attributes must be a table with names`)
    return JSON.parse(JSON.stringify(table)) as ClaimedIdentity['claims']
  }
}

function readReason(value: LuaValue): string | undefined {
  if (typeof value !== 'string') return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these could steer a terminal.
  return value.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, pluginAuthLimits.reasonCharactersMax)
}

function asTable(value: LuaValue, complaint: string): LuaObject {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (
    isTable &&
    (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype)
  ) {
    return value as LuaObject
  }
  throw new LuaRaise(complaint)
}
