import type { RouteRequirement } from '../sdk/client/index.js'

/** Who may call a route. */
interface Guarded {
  readonly public: boolean
  readonly requires?: RouteRequirement | undefined
}

/** Gives what is shown behind a route: `  (public)`, `  (role analyst or editor; tenant)`, or nothing for any credential. */
export function describeGuard({ public: isPublic, requires }: Guarded): string {
  if (isPublic) return '  (public)'
  return requires === undefined ? '' : `  (${partsOf(requires).join('; ')})`
}

function partsOf({ types, authenticators, tenant, roles, permissions }: RouteRequirement): readonly string[] {
  return [
    ...(types === undefined ? [] : [`type ${types.join(' or ')}`]),
    ...(authenticators === undefined ? [] : [`by ${authenticators.join(' or ')}`]),
    ...(tenant === true ? ['tenant'] : []),
    ...(roles === undefined ? [] : [`role ${roles.join(' or ')}`]),
    ...(permissions === undefined ? [] : [`permission ${permissions.join(' and ')}`]),
  ]
}
