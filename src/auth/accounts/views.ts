import { describeIdentity } from '../../identity/described-identity.js'
import type { Identity, JsonValue } from '../../identity/identity.js'
import type { StoredKey } from '../../identity/key-row.js'
import type { Role } from '../../identity/role-store.js'
import type { StoredSession } from '../../identity/session-store.js'
import type { StoredUser } from '../../identity/user-row.js'

/** What the area shows of somebody. */
export function viewIdentity(identity: Identity): object {
  return { ...(describeIdentity(identity) as object), permissions: identity.permissions.list() }
}

export function viewUser(user: StoredUser): Record<string, JsonValue> {
  const { id, username, email, name, roles, groups, tenant, claims, disabled, external } = user
  return given({
    id,
    username,
    email,
    name,
    roles,
    groups,
    tenant,
    claims,
    disabled,
    has_password: user.hasPassword,
    external: external && { ...external },
    created_at: timeText(user.createdAt),
    updated_at: timeText(user.updatedAt),
    last_login_at: timeText(user.lastLoginAt),
  })
}

/** @param currentId Of the session of the request. */
export function viewSession(
  session: StoredSession,
  currentId: string | undefined,
): Record<string, JsonValue> {
  const { id, authenticator, ip, userAgent, createdAt, lastUsedAt, expiresAt } = session
  return given({
    id,
    authenticator,
    ip,
    user_agent: userAgent,
    created_at: timeText(createdAt),
    last_used_at: timeText(lastUsedAt),
    expires_at: timeText(expiresAt),
    current: id === currentId,
  })
}

export function viewKey(key: StoredKey): Record<string, JsonValue> {
  const { id, name, kind, ownerId, roles, permissions, tenant, createdBy } = key
  return given({
    id,
    name,
    kind,
    owner_id: ownerId,
    roles,
    permissions,
    tenant,
    created_by: createdBy,
    created_at: timeText(key.createdAt),
    expires_at: timeText(key.expiresAt),
    revoked_at: timeText(key.revokedAt),
    last_used_at: timeText(key.lastUsedAt),
  })
}

export function viewRole({ name, description, permissions, source, isShadowed, updatedAt }: Role): object {
  return given({
    name,
    description,
    permissions,
    source,
    shadowed: isShadowed,
    updated_at: timeText(updatedAt),
  })
}

/** A page of a list, under the name of its items. */
export function viewPage<T>(
  name: string,
  { items, nextCursor }: { readonly items: readonly T[]; readonly nextCursor: string | undefined },
  view: (item: T) => object,
): object {
  return { [name]: items.map(view), ...(nextCursor !== undefined && { next_cursor: nextCursor }) }
}

function timeText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

function given(fields: Readonly<Record<string, JsonValue | undefined>>): Record<string, JsonValue> {
  const present = Object.entries(fields).filter(
    (field): field is [string, JsonValue] => field[1] !== undefined,
  )
  return Object.fromEntries(present)
}
