import { accountLimits, identityLimits } from '../base/limits/identity.js'
import { userInvalid } from './errors.js'
import { checkClaims, checkLabels, checkText, type Identity } from './identity.js'

/** Who vouches for somebody elsewhere, and under which name. */
export interface ExternalIdentity {
  readonly issuer: string
  readonly subject: string
}

/** What can be said about a user. In a change a missing field stays as it is, and undefined is the same as missing. */
export interface UserFields {
  /** 1 to `accountLimits.usernameCharactersMax` of letters, digits, `.`, `_` and `-`; unique without case. */
  readonly username: string
  /** Unique without case; null for none. */
  readonly email: string | null
  /** What others call them; null for none. */
  readonly name: string | null
  /** Also names that no role has: they may mean something to a plugin. */
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  /** Null for none. */
  readonly tenant: string | null
  readonly claims: Identity['claims']
  /** True for somebody who is not let in. */
  readonly disabled: boolean
  /** Null for none. */
  readonly external: ExternalIdentity | null
}

/** Names that logs show for those who are no users. */
const reservedNames: ReadonlySet<string> = new Set(['admin', 'anonymous'])
const usernameShape = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/
const emailShape = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+$/

/** Gives what all spellings of a user name have in common. */
export function usernameKey(username: string): string {
  return username.toLowerCase()
}

/** Gives what all spellings of an address have in common; mail servers do not tell its cases apart either. */
export function emailKey(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

/** @throws `USER_INVALID` that names the first field that cannot be stored. */
export function checkUserFields(fields: Partial<UserFields>): void {
  const { username, email, name, roles, groups, tenant, claims, external } = fields
  try {
    if (username !== undefined) checkUsername(username)
    if (email !== undefined && email !== null) checkEmail(email)
    if (name !== undefined && name !== null) checkText('name', name, identityLimits.nameCharactersMax)
    if (roles !== undefined) checkLabels('roles', roles, identityLimits.rolesMax)
    if (groups !== undefined) checkLabels('groups', groups, identityLimits.groupsMax)
    if (tenant !== undefined && tenant !== null) {
      checkText('tenant', tenant, identityLimits.labelCharactersMax)
    }
    if (claims !== undefined) checkClaims(claims)
    if (external !== undefined && external !== null) checkExternal(external)
  } catch (error) {
    throw userInvalid({ problem: error instanceof Error ? error.message : 'a field is malformed' })
  }
}

function checkUsername(username: string): void {
  checkText('username', username, accountLimits.usernameCharactersMax)
  if (!usernameShape.test(username)) {
    throw new Error('username takes letters, digits, ".", "_" and "-", beginning with a letter or digit')
  }
  if (reservedNames.has(usernameKey(username))) {
    throw new Error(`username ${username} is kept for what is no user; choose another`)
  }
}

function checkEmail(email: string): void {
  checkText('email', email, accountLimits.emailCharactersMax)
  if (!emailShape.test(email)) throw new Error('email is no address, such as ann@example.com')
}

function checkExternal({ issuer, subject }: ExternalIdentity): void {
  checkText('external.issuer', issuer, accountLimits.issuerCharactersMax)
  checkText('external.subject', subject, identityLimits.nameCharactersMax)
}
