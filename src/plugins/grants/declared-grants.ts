import { grantLimits } from '../../base/limits/plugins.js'
import {
  type AuthDeclaration,
  authApprovalKey,
  authDeclarations,
} from '../../capabilities/auth/auth-rules.js'
import { hookApprovalKey, hooksOf } from '../../capabilities/hooks/hook-rules.js'
import type { Registration } from '../../sandbox/host-function.js'
import type { GatewayAccess, Manifest } from '../manifest.js'
import { declaredStages } from '../stages/declared-stages.js'
import { coreKey, kvKey } from './grant-keys.js'
import type { DeclaredGrant } from './grant-table.js'

/** What a hook of each kind can do, for who approves it. */
const hookPowers: readonly (readonly [prefix: string, power: string])[] = [
  ['before_read', 'may answer in the place of the entry'],
  ['after_read', 'may add headers to the answer'],
  ['before_', 'may change or refuse what is written'],
  ['after_', 'is told of what was written'],
]

/**
 * Lists what a generation asks for, each thing once: hooks, domains, stages, authenticators, authorizers and predicates of its code; core tables, shared
 * namespaces and access to the gateway of its manifest.
 *
 * @throws Error when it asks for more than `grantLimits` allow.
 */
export function declaredGrants(
  registrations: readonly Registration[],
  manifest: Pick<Manifest, 'coreAccess' | 'kvAccess' | 'gatewayAccess'>,
): readonly DeclaredGrant[] {
  const all = [
    ...declaredHooks(registrations),
    ...declaredDomains(registrations),
    ...declaredCore(manifest),
    ...declaredKv(manifest),
    ...stageGrants(registrations),
    ...declaredGateway(manifest),
    ...declaredAuth(registrations),
  ]
  const grants = [...new Map(all.map((grant) => [`${grant.kind} ${grant.key}`, grant])).values()]
  assertBounded(grants)
  return grants
}

function assertBounded(grants: readonly DeclaredGrant[]): void {
  const { perPluginMax, keyCharactersMax } = grantLimits
  if (grants.length > perPluginMax) {
    throw new Error(
      `it asks for ${grants.length} hooks, domains, core tables, shared namespaces, stages, accesses to the gateway, authenticators, authorizers and predicates; the limit is ${perPluginMax}: split the plugin`,
    )
  }
  const long = grants.find(({ key }) => key.length > keyCharactersMax)
  if (long === undefined) return
  const start = JSON.stringify(long.key.slice(0, 40))
  throw new Error(
    `the ${long.kind} that starts with ${start} has ${long.key.length} characters; the limit is ${keyCharactersMax}`,
  )
}

function declaredHooks(registrations: readonly Registration[]): readonly DeclaredGrant[] {
  return hooksOf(registrations).map(({ event, table }) => ({
    kind: 'hook',
    key: hookApprovalKey(event, table),
    description: hookPowers.find(([prefix]) => event.startsWith(prefix))?.[1] ?? '',
  }))
}

function declaredDomains(registrations: readonly Registration[]): readonly DeclaredGrant[] {
  return registrations
    .filter(({ kind }) => kind === 'domain')
    .map(({ key, data }) => ({ kind: 'domain', key, description: shorten(data.description) }))
}

function declaredCore({ coreAccess }: Pick<Manifest, 'coreAccess'>): readonly DeclaredGrant[] {
  return [...coreAccess].flatMap(([table, accesses]) =>
    accesses.map((access) => ({
      kind: 'core' as const,
      key: coreKey(table, access),
      description: access === 'read' ? 'reads rows' : 'inserts, changes and deletes rows',
    })),
  )
}

function declaredKv({ kvAccess }: Pick<Manifest, 'kvAccess'>): readonly DeclaredGrant[] {
  return [...kvAccess].flatMap(([namespace, accesses]) =>
    accesses.map((access) => ({
      kind: 'kv' as const,
      key: kvKey(namespace, access),
      description:
        access === 'read'
          ? 'reads and follows entries that others share'
          : 'writes entries that others share',
    })),
  )
}

/**
 * Stages of one plugin with the same key share an approval; the key holds all that an approval is about. A registration
 * without one cannot be approved.
 */
function stageGrants(registrations: readonly Registration[]): readonly DeclaredGrant[] {
  return declaredStages(registrations).map(({ key, description }) => ({
    kind: 'stage' as const,
    key,
    description: shorten(description),
  }))
}

/** What each access to the gateway lets a plugin do, for who approves it. */
const gatewayPowers: Readonly<Record<GatewayAccess, string>> = {
  'log:read': 'reads who sent which request, with addresses and paths',
  'stats:read': 'reads how many requests there are, and what became of them',
  'shell:write': 'decides which pages are shown without the shell',
}

function declaredGateway({ gatewayAccess }: Pick<Manifest, 'gatewayAccess'>): readonly DeclaredGrant[] {
  return gatewayAccess.map((access) => ({
    kind: 'gateway',
    key: access,
    description: gatewayPowers[access],
  }))
}

function declaredAuth(registrations: readonly Registration[]): readonly DeclaredGrant[] {
  return authDeclarations(registrations).map((declaration) => ({
    kind: 'auth' as const,
    key: authApprovalKey(declaration),
    description: powerOf(declaration),
  }))
}

function powerOf({ kind, place }: AuthDeclaration): string {
  switch (kind) {
    case 'authenticator':
      return `sees ${credentialsOf(place)} and says who sends the request`
    case 'authorizer':
      return 'says who may do what, where a rule names it'
    default:
      return 'says whether conditions of policies hold, and sees who asks for what'
  }
}

function credentialsOf({ header, bearer }: AuthDeclaration['place']): string {
  if (header !== undefined) return `requests with the header ${header}, with all their credentials,`
  return bearer === undefined
    ? 'the credentials of all requests'
    : `requests with bearer tokens that begin with "${bearer}", with all their credentials,`
}

function shorten(text: unknown): string {
  return typeof text === 'string' ? text.slice(0, grantLimits.descriptionCharactersMax) : ''
}
