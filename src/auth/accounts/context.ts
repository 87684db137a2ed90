import type { FastifyRequest } from 'fastify'
import { checkGrant, checkReach, type Grant } from '../../identity/granting.js'
import type { Identity } from '../../identity/identity.js'
import type { StoredSession } from '../../identity/session-store.js'
import type { StoredUser } from '../../identity/user-row.js'
import { ActionNotes } from './action-notes.js'
import { Callers } from './callers.js'
import type { AccountsApiOptions } from './options.js'

/** What the operations share. */
export interface AccountsContext extends AccountsApiOptions {
  readonly callers: Callers
  readonly notes: ActionNotes
  /** The session that a request came with; undefined for those who came otherwise. */
  currentSession(request: FastifyRequest): Promise<StoredSession | undefined>
  /** Finds a user by id, name or address; undefined also for those of whom the caller may know nothing. */
  findUser(request: FastifyRequest, text: string): Promise<StoredUser | undefined>
  /** Checks that the caller gives nothing that they do not have; see `checkGrant`. */
  assertGrant(request: FastifyRequest, grant: Grant): Promise<void>
  /** Checks that the caller may change what has this; see `checkReach`. */
  assertReach(request: FastifyRequest, has: Grant): Promise<void>
}

const idShape = /^[0-9A-HJKMNP-TV-Z]{26}$/

/** Puts together what the operations share. */
export function createContext(options: AccountsApiOptions): AccountsContext {
  const callers = new Callers(options)
  const { users, sessions, roles } = options
  return {
    ...options,
    callers,
    notes: new ActionNotes(options),
    async currentSession(request) {
      const sent = callers.sentSession(request)
      if (sent.kind !== 'token') return undefined
      const found = await sessions.find(sent.token)
      return found.kind === 'found' && callers.isSelf(request, found.user) ? found.session : undefined
    },
    async findUser(request, text) {
      // Before the names: somebody may be called as another's id is.
      const byId = idShape.test(text) ? await users.get(text) : undefined
      const user = byId ?? (await users.candidate(text))?.user
      return user !== undefined && maySee(callers.identityOf(request), user.tenant) ? user : undefined
    },
    async assertGrant(request, grant) {
      checkGrant(callers.identityOf(request), grant, await roles.definitions(grant.roles ?? []))
    },
    async assertReach(request, has) {
      checkReach(callers.identityOf(request), has, await roles.definitions(has.roles ?? []))
    },
  }
}

/** Who belongs to a tenant sees what is of that tenant, unless they may do everything. */
export function maySee({ tenant, permissions }: Identity, other: string | undefined): boolean {
  return tenant === undefined || permissions.isAll || tenant === other
}

/** The tenant to which belongs what somebody makes without naming one; undefined for none. */
export function ownTenant({ tenant, permissions }: Identity): string | undefined {
  return permissions.isAll ? undefined : tenant
}
