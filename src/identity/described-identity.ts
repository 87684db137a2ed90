import type { Identity, JsonValue } from './identity.js'

/** Gives an identity as code of plugins sees it. */
export function describeIdentity(identity: Identity): JsonValue {
  const { kind: type, sub: id, name, email, tenant, roles, groups, claims, authenticator } = identity
  return {
    type,
    id,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(tenant !== undefined && { tenant_id: tenant }),
    roles,
    groups,
    attributes: claims,
    authenticator,
  }
}
