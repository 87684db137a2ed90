import type { PartyReport } from '../../auth/access-report.js'
import { type AuthKind, authDeclarations } from '../../capabilities/auth/auth-rules.js'
import type { ServedPlugin } from '../plugin-directory.js'

/** The authenticators and authorizers of plugins, whether they run or not. */
export interface PartReports {
  readonly authenticators: readonly PartyReport[]
  readonly authorizers: readonly PartyReport[]
}

/** Tells of one that serves whether it has failed too often; undefined when it does not serve. */
export type FindService = (
  plugin: string,
  kind: AuthKind,
  name: string,
) => { readonly isPaused: boolean } | undefined

/** Lists what plugins have registered or been approved for, in the order in which they were started. */
export function reportParts(plugins: readonly ServedPlugin[], find: FindService): PartReports {
  const of = (kind: AuthKind) =>
    plugins.flatMap((served) =>
      namesOf(served, kind).map((name) => ({
        name,
        type: 'plugin',
        plugin: served.name,
        ...stateOf(served, `${kind} ${name}`, find(served.name, kind, name)),
      })),
    )
  return { authenticators: of('authenticator'), authorizers: of('authorizer') }
}

function namesOf({ generation, grants }: ServedPlugin, kind: AuthKind): readonly string[] {
  const declared = authDeclarations(generation?.inspection.registrations ?? [])
    .filter((each) => each.kind === kind)
    .map(({ name }) => name)
  const asked = grants
    .of('auth')
    .map(({ key }) => key.split(' '))
    .filter(([word]) => word === kind)
    .flatMap(([, name]) => (name === undefined ? [] : [name]))
  return [...new Set([...declared, ...asked])]
}

function stateOf(
  { name: plugin, state, grants }: ServedPlugin,
  part: string,
  service: ReturnType<FindService>,
): Pick<PartyReport, 'state' | 'reason'> {
  if (service !== undefined) {
    return service.isPaused ? { state: 'paused', reason: 'it has failed too often' } : { state: 'ready' }
  }
  if (state !== 'running') return { state: 'held', reason: `its plugin ${plugin} does not run` }
  const isApproved = grants
    .of('auth')
    .some(({ key, approved }) => approved && `${key} `.startsWith(`${part} `))
  return {
    state: 'held',
    reason: isApproved ? 'another plugin has one of this name' : `it waits for approval (plugin ${plugin})`,
  }
}
