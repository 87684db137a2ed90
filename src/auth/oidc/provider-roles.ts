import type { JsonValue } from '../../identity/identity.js'
import { builtInPatterns } from '../../identity/roles.js'

/** Which roles of a provider count here. */
export interface ProviderRoles {
  /** Whether roles of Keycloak's realm do. */
  readonly realm: boolean
  /** Clients of Keycloak whose roles do. */
  readonly clients: readonly string[]
  /** Roles of this host in the place of one of the provider. */
  readonly map: ReadonlyMap<string, readonly string[]>
}

type Claims = { readonly [name: string]: JsonValue }

/**
 * Reads the roles that Keycloak puts into claims: those of the realm, and those of the clients that are named.
 *
 * @throws Error for roles that are no list of texts.
 */
export function keycloakRoles(claims: Claims, { realm, clients }: ProviderRoles): readonly string[] {
  const access = member(claims, 'resource_access')
  const places = [
    ...(realm ? [member(claims, 'realm_access')] : []),
    ...clients.map((client) => member(access, client)),
  ]
  return places.flatMap((place) => {
    const roles = member(place, 'roles')
    if (roles === undefined || roles === null) return []
    if (Array.isArray(roles) && roles.every((role) => typeof role === 'string')) return roles
    throw new Error('a claim with roles of Keycloak is no list of texts')
  })
}

/**
 * Turns the roles of a provider into those of this host: mapped where the operator has said so, else by their names. A
 * built-in role that permits something comes from a map alone: whoever names roles at a provider does not thereby name
 * who runs this host.
 */
export function rolesHere(roles: readonly string[], { map }: ProviderRoles): readonly string[] {
  const here = roles.flatMap(
    (role) => map.get(role) ?? ((builtInPatterns(role) ?? []).length > 0 ? [] : [role]),
  )
  return [...new Set(here)]
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Claims)[name] : undefined
}
