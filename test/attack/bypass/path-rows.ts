import { type GuardedWorld, vault } from '../../helpers/guarded-world.js'
import { type Bypass, bearer, single } from './row.js'
import { equalSpellingsOf, spellingsOf } from './spellings.js'

/** Paths that are guarded, what is sent to them, and what gets there that is not enough. */
const targets = [
  { path: `${vault}/known`, method: 'GET', lacks: 'nothing' },
  { path: `${vault}/admin/x`, method: 'GET', lacks: 'role' },
  { path: `${vault}/tenants/other/data`, method: 'GET', lacks: 'tenant' },
  { path: `${vault}/partner/x`, method: 'GET', lacks: 'issuer' },
  { path: `${vault}/written`, method: 'POST', lacks: 'role' },
  { path: '/site/admin/x', method: 'GET', lacks: 'role' },
  { path: '/site/tenants/other/data', method: 'GET', lacks: 'tenant' },
  { path: '/api/v1/admin/plugins', method: 'GET', lacks: 'role' },
  { path: '/api/v1/admin/plugins/victim/disable', method: 'POST', lacks: 'role' },
  { path: '/gateway/api/pipeline', method: 'GET', lacks: 'role' },
] as const

/** Each spelling of each guarded path, without a credential and with one that is not enough. */
export async function pathRows({ issuer }: GuardedWorld): Promise<readonly Bypass[]> {
  // It belongs to the tenant `acme`, and to no role that opens anything.
  const weak = bearer(await issuer.sign({ sub: 'eve', tenant: 'acme', roles: ['reader'] }))
  return targets.flatMap(({ path, method, lacks }) => {
    const spelled = { ...spellingsOf(path), ...equalSpellingsOf(path), ...aroundTargets(path) }
    const attempts =
      lacks === 'nothing' || path.startsWith('/site/')
        ? []
        : [{ who: `, which lacks the ${lacks}`, headers: weak }]
    return Object.entries(spelled).flatMap(([how, target]) =>
      [{ who: '', headers: [] as readonly string[] }, ...attempts].map(({ who, headers }) => ({
        name: `${method} ${path}${who}, ${how}: ${target}`,
        text: single(target, headers, method),
      })),
    )
  })
}

/** Tenants of other spellings, and those that servers behind read another way, sent by one of the tenant `acme`. */
export async function tenantRows({ issuer }: GuardedWorld): Promise<readonly Bypass[]> {
  const acme = bearer(await issuer.sign({ tenant: 'acme' }))
  const none = bearer(await issuer.sign())
  const odd = bearer(await issuer.sign({ tenant: '%6fther' }))
  const row = (target: string, headers = acme): Bypass => ({
    name: `tenant ${target}, by ${headers === acme ? 'acme' : headers === none ? 'nobody’s' : '%6fther'}`,
    text: single(target, headers),
  })
  const below = (base: string) => [
    ...[
      'other',
      'ACME',
      'acme2',
      'acm',
      '%61cme2',
      'oth%65r',
      'acme;x',
      'acme,other',
      '*',
      'acme%2f..%2fother',
    ].map((tenant) => row(`${base}/tenants/${tenant}/data`)),
    row(`${base}/tenants//other/data`),
    row(`${base}/tenants/;/other/data`),
    row(`${base}/tenants/acme/../other/data`),
    row(`${base}/tenants/acme/..;/other/data`),
    row(`${base}/tenants/acme/..%2fother/data`),
    row(`${base}//tenants/other/data`),
    row(`${base}/tenants/other/data?tenant=acme`),
    row(`${base}/tenants/acme/data`, none),
    row(`${base}/tenants/other/data`, odd),
  ]
  return [...below(vault), ...below('/site')]
}

/** Targets that are more, or less, than a path. */
function aroundTargets(path: string): Readonly<Record<string, string>> {
  return {
    'with a scheme and a host': `http://host.example${path}`,
    'with a scheme and a public path as the host': `http://health${path}`,
    'with a scheme in capitals': `HTTP://HOST.EXAMPLE${path}`,
    'with a scheme and a user': `http://admin:admin@host.example${path}`,
    'with another scheme': `file://${path}`,
    'without a slash in front': path.slice(1),
    'behind an asterisk': `*${path}`,
    'behind a question mark': `?${path}`,
    'behind a public path and a question mark that is encoded': `/health%3f${path}`,
    'behind a port': `:80${path}`,
  }
}
