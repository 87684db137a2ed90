import { pluginAuthLimits } from '../../base/limits/auth.js'
import type { Registration } from '../../sandbox/host-function.js'

/** Kinds of registrations; `policy` is a predicate that conditions of policies ask. */
export const authKinds = ['authenticator', 'authorizer', 'policy'] as const

export type AuthKind = (typeof authKinds)[number]

/** What an authenticator is asked about. */
export interface CredentialPlace {
  /** Only requests with this header, in lower case. */
  readonly header?: string
  /** Only bearer tokens that begin so. */
  readonly bearer?: string
}

/** What a plugin registered. */
export interface AuthDeclaration {
  readonly kind: AuthKind
  /** Unique among those of its kind: of all plugins for authenticators and authorizers, of its own for predicates. */
  readonly name: string
  /** Empty for authorizers and predicates, and for authenticators that are asked about every request. */
  readonly place: CredentialPlace
}

const namePattern = /^[a-z][a-z0-9_]*$/

/** Names that the host has itself. */
const takenNames: readonly string[] = [
  ...['admin_token', 'session', 'api_key', 'password', 'test', 'jwt', 'oidc'],
  ...['none', 'admin_only', 'tenant_scope', 'roles', 'permissions', 'policies'],
]

/** Says what is wrong with a name; undefined when nothing is. */
export function checkAuthName(kind: AuthKind, name: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, pluginAuthLimits.nameCharactersMax))
  if (name.length > pluginAuthLimits.nameCharactersMax || !namePattern.test(name)) {
    return `invalid name ${shown}: use a lower-case letter, then lower-case letters, digits and "_", at most ${pluginAuthLimits.nameCharactersMax}`
  }
  return kind !== 'policy' && takenNames.includes(name) ? `the name ${shown} is one of the host` : undefined
}

/** Lists the authenticators, authorizers and predicates of a plugin, in their order. */
export function authDeclarations(registrations: readonly Registration[]): readonly AuthDeclaration[] {
  return registrations.flatMap(({ kind, key, data }) => {
    const known = authKinds.find((each) => each === kind)
    return known === undefined ? [] : [{ kind: known, name: key, place: data as CredentialPlace }]
  })
}

/**
 * Names what an approval holds for: kind and name, and for an authenticator where it gets credentials from, so that one that
 * comes to see more asks again.
 */
export function authApprovalKey({ kind, name, place }: AuthDeclaration): string {
  const { header, bearer } = place
  return [
    `${kind} ${name}`,
    ...(header === undefined ? [] : [`header=${header}`]),
    ...(bearer === undefined ? [] : [`bearer=${bearer}`]),
  ].join(' ')
}

/** Tells whether an approval is for the authenticator or authorizer of a name. */
export function isAuthKeyOf(key: string, kind: AuthKind, name: string): boolean {
  return key === `${kind} ${name}` || key.startsWith(`${kind} ${name} `)
}

/** Reads from the key of an approval where an authenticator gets credentials from. */
export function placeOfAuthKey(key: string): CredentialPlace {
  const [, , ...options] = key.split(' ')
  return Object.fromEntries(
    options.map((option) => [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)]),
  )
}
