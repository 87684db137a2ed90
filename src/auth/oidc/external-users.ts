import { isDeepStrictEqual } from 'node:util'
import { HostError, messageOf } from '../../base/errors.js'
import { userDuplicate } from '../../identity/errors.js'
import type { JsonValue } from '../../identity/identity.js'
import type { UserFields } from '../../identity/user-fields.js'
import type { StoredUser } from '../../identity/user-row.js'
import type { UserStore } from '../../identity/user-store.js'
import { type ClaimPaths, personalClaims, readClaims } from '../claims.js'
import { accountUnusable, signUpClosed } from '../errors.js'
import { derivedUsernames } from './derived-username.js'
import type { VouchedClaims } from './oidc-provider.js'
import { keycloakRoles, type ProviderRoles, rolesHere } from './provider-roles.js'

/** How the word of a provider becomes a user. */
export interface ExternalUsersOptions {
  readonly issuer: string
  readonly claims: ClaimPaths
  readonly roles: ProviderRoles
  /** The tenant of all of its users; undefined for the one that claims name. */
  readonly tenant: string | undefined
  /** Whether somebody who is no user yet becomes one. */
  readonly allowSignUp: boolean
}

/** A user whom a provider vouches for, and what has been done for that. */
export interface VouchedUser {
  readonly user: StoredUser
  readonly change: 'created' | 'updated' | 'none'
}

type Users = Pick<UserStore, 'findExternal' | 'create' | 'update'>

/** What a provider is asked about at each sign-in; what it no longer says is gone. */
type Said = Pick<UserFields, 'name' | 'email' | 'roles' | 'groups' | 'tenant' | 'claims'>

/**
 * The users of one provider. They are known by issuer and subject and by nothing else: whoever has the name or the
 * address of another user there is not that user here.
 */
export class ExternalUsers {
  readonly #users: Users
  readonly #options: ExternalUsersOptions

  constructor(users: Users, options: ExternalUsersOptions) {
    this.#users = users
    this.#options = options
  }

  /**
   * Finds or makes the user, and stores what the provider says now.
   *
   * @returns Also a user who is disabled, unchanged.
   * @throws `AUTH_SIGN_UP_CLOSED`, `AUTH_ACCOUNT_UNUSABLE`
   */
  async take({ subject, claims }: VouchedClaims): Promise<VouchedUser> {
    const { issuer, allowSignUp } = this.#options
    const said = this.#read(claims)
    const known = await this.#users.findExternal(issuer, subject)
    if (known !== undefined) return this.#renew(known, said)
    if (!allowSignUp) throw signUpClosed()
    return this.#create(subject, said, textOf(claims.preferred_username) ?? textOf(claims.name))
  }

  #read(claims: VouchedClaims['claims']): Said {
    const { claims: paths, roles, tenant } = this.#options
    try {
      const said = readClaims(claims, paths)
      return {
        name: said.name ?? null,
        // Of whose address nobody says that it is theirs, it would keep the owner from having it here.
        email: claims.email_verified === true ? (said.email ?? null) : null,
        roles: rolesHere([...said.roles, ...keycloakRoles(claims, roles)], roles),
        groups: [...new Set(said.groups)],
        tenant: tenant ?? said.tenant ?? null,
        claims: lastingClaims(claims),
      }
    } catch (error) {
      throw accountUnusable({ problem: messageOf(error) })
    }
  }

  async #renew(user: StoredUser, said: Said): Promise<VouchedUser> {
    if (user.disabled || isSame(user, said)) return { user, change: 'none' }
    try {
      return { user: await this.#store(user, said), change: 'updated' }
    } catch (error) {
      throw asUnusable(error)
    }
  }

  async #store(user: StoredUser, said: Said): Promise<StoredUser> {
    try {
      return await this.#users.update(user.id, said)
    } catch (error) {
      if (!isDuplicate(error)) throw error
      // The address is another user's.
      return isSame(user, { ...said, email: null })
        ? user
        : this.#users.update(user.id, { ...said, email: null })
    }
  }

  async #create(subject: string, said: Said, wanted: string | undefined): Promise<VouchedUser> {
    const { issuer } = this.#options
    const names = [...derivedUsernames(issuer, subject, wanted)]
    let fields = said
    for (let username = names.shift(); username !== undefined; ) {
      try {
        const user = await this.#users.create({ ...fields, username, external: { issuer, subject } })
        return { user, change: 'created' }
      } catch (error) {
        // The same person may have signed in twice at once.
        const known = isDuplicate(error) ? await this.#users.findExternal(issuer, subject) : undefined
        if (known !== undefined) return this.#renew(known, said)
        if (isAbout(error, 'username')) username = names.shift()
        else if (isDuplicate(error) && fields.email !== null) fields = { ...fields, email: null }
        else throw asUnusable(error)
      }
    }
    throw accountUnusable({ problem: 'all names that could be made of it are taken' })
  }
}

function isSame(user: StoredUser, said: Said): boolean {
  return (
    (user.name ?? null) === said.name &&
    (user.email ?? null) === said.email &&
    (user.tenant ?? null) === said.tenant &&
    isDeepStrictEqual([...user.roles], said.roles) &&
    isDeepStrictEqual([...user.groups], said.groups) &&
    isDeepStrictEqual(user.claims, said.claims)
  )
}

/** Leaves out what is another thing at each sign-in. */
function lastingClaims(claims: VouchedClaims['claims']): VouchedClaims['claims'] {
  const { auth_time: _time, session_state: _session, ...lasting } = personalClaims(claims)
  return lasting
}

const duplicateCode = userDuplicate().code

function isDuplicate(error: unknown): boolean {
  return error instanceof HostError && error.code === duplicateCode
}

function isAbout(error: unknown, field: string): boolean {
  return error instanceof HostError && error.message.includes(field)
}

function asUnusable(error: unknown): unknown {
  if (!(error instanceof HostError) || error.status >= 500) return error
  return accountUnusable({ problem: error.message }, { cause: error })
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
