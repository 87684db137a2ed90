import { routeRequirementLimits } from '../../base/limits/auth.js'
import { nearestName } from '../../base/nearest-name.js'
import { checkLabels, identityKinds } from '../../identity/identity.js'
import { permissionNames } from '../../identity/permissions.js'
import type { Requirement } from '../../identity/requirement.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'

const example = 'auth.require({ roles = { "analyst" } })'

const knownTypes: readonly string[] = identityKinds.filter((kind) => kind !== 'anonymous')

const readers: Readonly<Record<keyof Requirement, (value: LuaValue) => unknown>> = {
  roles: (value) => readLabels('roles', value),
  permissions: (value) => readNames('permissions', value, permissionNames),
  tenant: readTenant,
  authenticators: (value) => readLabels('authenticators', value).map((name) => name.replaceAll('-', '_')),
  types: (value) => readNames('types', value, knownTypes),
}

/**
 * Reads what a route asks of its callers.
 *
 * @throws LuaRaise that names the value and what to write instead: nothing that cannot be read is left out.
 */
export function readRequirement(value: LuaValue): Requirement {
  const fields = asTable(value)
  const names = Object.keys(fields)
  const known = Object.keys(readers)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const near = nearestName(unknown, known)
    const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
    throw new LuaRaise(`auth.require has no field ${JSON.stringify(unknown.slice(0, 64))}: ${hint}`)
  }
  if (names.length === 0) {
    throw new LuaRaise(
      `auth.require asks for nothing: name at least one of ${known.join(', ')}; a route without it takes everybody who is signed in`,
    )
  }
  const read = names.map((name) => [name, readers[name as keyof Requirement](fields[name])])
  return Object.fromEntries(read) as Requirement
}

/** Reads the option `auth` of a route: what `auth.require` has made, and nothing else. */
export function readRouteAuth(value: LuaValue): Requirement {
  const isMade = isTable(value) && Object.keys(value).join() === 'requires'
  if (!isMade) throw new LuaRaise(`auth must be what auth.require makes, e.g. auth = ${example}`)
  return readRequirement(value.requires)
}

function readTenant(value: LuaValue): true {
  if (value === true) return true
  throw new LuaRaise(
    'auth.require: tenant can only be true: it takes somebody of a tenant; leave it out for everybody',
  )
}

function readNames(field: string, value: LuaValue, known: readonly string[]): readonly string[] {
  const names = readLabels(field, value)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  const near = nearestName(unknown, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
  throw new LuaRaise(
    `auth.require: ${field} has ${JSON.stringify(unknown.slice(0, 64))}, which nothing is called: ${hint}`,
  )
}

function readLabels(field: string, value: LuaValue): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every((each) => typeof each === 'string')) {
    throw new LuaRaise(`auth.require: ${field} must be a list of at least one text, e.g. { "..." }`)
  }
  try {
    return checkLabels(field, value as readonly string[], routeRequirementLimits.namesMax)
  } catch (error) {
    throw new LuaRaise(`auth.require: ${(error as Error).message}`)
  }
}

function asTable(value: LuaValue): LuaObject {
  if (isTable(value)) return value
  // Lua does not tell an empty list from an empty table.
  if (Array.isArray(value) && value.length === 0) return {}
  throw new LuaRaise(`auth.require takes a table, e.g. ${example}`)
}

function isTable(value: LuaValue): value is LuaObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
