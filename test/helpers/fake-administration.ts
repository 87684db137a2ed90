import { HostError } from '../../src/base/errors.js'
import { parseHookApprovalKey } from '../../src/capabilities/hooks/hook-rules.js'
import type {
  ApprovalDiff,
  ApprovalItem,
  ApprovalResult,
  CapabilityReport,
  DroppedApproval,
  GrantRequest,
  PipelineChain,
  PipelineQuery,
  PipelineStep,
  PluginAdministration,
  PluginDetails,
  RouteListing,
  RouteReference,
} from '../../src/plugins/administration.js'
import { pluginNotFound } from '../../src/plugins/errors.js'
import { parseCoreKey, parseKvKey } from '../../src/plugins/grants/grant-keys.js'
import type { GrantKind } from '../../src/plugins/grants/grant-table.js'
import type { MigrationAdministration } from '../../src/plugins/migrations/migration-orders.js'
import type { MigrationListing } from '../../src/plugins/migrations/plan.js'

/** Something that a plugin asks for beside routes. */
export interface FakeGrant {
  readonly plugin: string
  readonly kind: GrantKind
  readonly key: string
  readonly description: string
  readonly approved: boolean
}

/** A `PluginAdministration` over plain lists that records what was done and by whom. */
export class FakeAdministration implements PluginAdministration {
  readonly done: string[] = []
  /** What the status of migrations answers with. */
  migrationList: MigrationListing[] = []
  readonly migrations: MigrationAdministration = {
    status: async (plugin) => {
      if (!this.plugins.has(plugin)) throw pluginNotFound({ plugin })
      return { migrations: this.migrationList }
    },
    up: async (plugin, actor, to) => {
      this.#change(`migrate to ${to ?? 'all'}`, plugin, actor)
      return this.migrationList.filter(({ state }) => state === 'pending').map(({ version }) => version)
    },
    down: async (plugin, actor, to) => {
      this.#change(`migrate down to ${to}`, plugin, actor)
      return this.migrationList.filter(({ version }) => version > to).map(({ version }) => version)
    },
    adopt: async (plugin, actor, version, table) => {
      this.#change(`adopt ${version} if ${table ?? 'any'}`, plugin, actor)
      return table === 'absent' ? 'table_missing' : 'adopted'
    },
  }
  readonly plugins = new Map<string, PluginDetails>()
  routeList: RouteListing[] = []
  /** What plugins ask for beside routes. */
  grantList: FakeGrant[] = []
  /** Its own methods. */
  readonly asked = this
  steps: PipelineStep[] = []
  chains: PipelineChain[] = []
  dropped: (DroppedApproval & { readonly plugin: string })[] = []
  /** What the chains were asked for with. */
  lastQuery: PipelineQuery | undefined
  orphans: string[] = []
  /** What the next reload or enable rejects with. */
  failure: Error | undefined

  list() {
    return [...this.plugins.values()]
  }

  get(plugin: string) {
    return this.plugins.get(plugin)
  }

  async reload(plugin: string, actor: string): Promise<void> {
    this.#change('reload', plugin, actor)
  }

  async enable(plugin: string, actor: string): Promise<void> {
    this.#change('enable', plugin, actor)
  }

  async resetBreaker(plugin: string, actor: string): Promise<void> {
    this.#change('reset breaker of', plugin, actor)
  }

  async disable(plugin: string, actor: string): Promise<void> {
    this.#change('disable', plugin, actor)
  }

  async orphanedTables() {
    return this.orphans
  }

  async dropOrphanedTables(tables: readonly string[], actor: string) {
    const dropped = tables.filter((table) => this.orphans.includes(table))
    this.done.push(`drop ${dropped.join(',')} by ${actor}`)
    return dropped
  }

  routes() {
    return this.routeList
  }

  approveRoutes(routes: readonly RouteReference[], actor: string) {
    return this.#approve(routes, actor, true)
  }

  revokeRoutes(routes: readonly RouteReference[], actor: string) {
    return this.#approve(routes, actor, false)
  }

  hooks() {
    return this.#grantsOf('hook').map(({ plugin, key, approved }) => {
      const { event, table } = parseHookApprovalKey(key)
      const facts = { priority: 100, approved, is_wildcard: table === '*', plugin_version: '1.0.0' }
      return { plugin_name: plugin, event, table, ...facts }
    })
  }

  requests() {
    return this.#grantsOf('domain').map(({ plugin, key, description, approved }) => {
      return { plugin_name: plugin, domain: key, description, approved, plugin_version: '1.0.0' }
    })
  }

  coreAccess() {
    return this.#grantsOf('core').map(({ plugin, key, approved }) => {
      return { plugin_name: plugin, ...parseCoreKey(key), approved, plugin_version: '1.0.0' }
    })
  }

  kvAccess() {
    return this.#grantsOf('kv').map(({ plugin, key, approved }) => {
      return { plugin_name: plugin, ...parseKvKey(key), approved, plugin_version: '1.0.0' }
    })
  }

  stages() {
    return this.#grantsOf('stage').map(({ plugin, key, description, approved }) => {
      return { plugin_name: plugin, stage: key, description, approved, plugin_version: '1.0.0' }
    })
  }

  all() {
    return this.grantList.map(({ plugin, kind, key }) => ({ plugin, kind, key }))
  }

  authParts() {
    return this.#grantsOf('auth').map(({ plugin, key, description, approved }) => {
      return { plugin_name: plugin, part: key, description, approved, plugin_version: '1.0.0' }
    })
  }

  gatewayAccess() {
    return this.#grantsOf('gateway').map(({ plugin, key, description, approved }) => {
      return { plugin_name: plugin, access: key, description, approved, plugin_version: '1.0.0' }
    })
  }

  approveGrants(grants: readonly GrantRequest[], actor: string) {
    return this.#changeGrants(grants, actor, true)
  }

  revokeGrants(grants: readonly GrantRequest[], actor: string) {
    return this.#changeGrants(grants, actor, false)
  }

  async diff(plugin: string): Promise<ApprovalDiff | undefined> {
    const details = this.plugins.get(plugin)
    if (details === undefined) return undefined
    const asked = [
      ...this.routeList
        .filter((route) => route.plugin === plugin)
        .map(({ method, path, public: isPublic, approved }) => ({
          kind: 'route' as const,
          key: `${method} ${path}`,
          description: isPublic ? 'public: answers anyone' : 'needs a credential',
          public: isPublic,
          approved,
        })),
      ...this.grantList
        .filter((grant) => grant.plugin === plugin)
        .map(({ plugin: _plugin, ...grant }) => grant),
    ]
    const items = (wanted: boolean): ApprovalItem[] =>
      asked.filter(({ approved }) => approved === wanted).map(({ approved: _approved, ...item }) => item)
    const { version, content_hash } = details
    const dropped = this.dropped
      .filter((row) => row.plugin === plugin)
      .map(({ plugin: _plugin, ...row }) => row)
    return {
      plugin,
      plugin_version: version,
      content_hash,
      waiting: items(false),
      approved: items(true),
      dropped,
    }
  }

  pipelines() {
    return this.steps
  }

  dryRun(query?: PipelineQuery) {
    this.lastQuery = query
    return this.chains
  }

  async capabilities(plugin: string): Promise<CapabilityReport | undefined> {
    return this.plugins.has(plugin) ? { plugin, capabilities: [], drift: [] } : undefined
  }

  async syncCapabilities(plugin: string, actor: string) {
    this.#change('sync', plugin, actor)
  }

  #grantsOf(kind: FakeGrant['kind']) {
    return this.grantList.filter((grant) => grant.kind === kind)
  }

  async #changeGrants(grants: readonly GrantRequest[], actor: string, approved: boolean) {
    const errors: string[] = []
    for (const { plugin, kind, key, contentHash } of grants) {
      const found = this.grantList.find(
        (grant) => grant.plugin === plugin && grant.kind === kind && grant.key === key,
      )
      const isStale = contentHash !== undefined && contentHash !== this.plugins.get(plugin)?.content_hash
      if (found === undefined) errors.push(`${kind} ${key} of ${plugin} not found`)
      else if (isStale) errors.push(`${kind} ${key} of ${plugin} is of another source`)
      else {
        this.grantList = this.grantList.map((grant) => (grant === found ? { ...grant, approved } : grant))
        this.done.push(`${approved ? 'approve' : 'revoke'} ${plugin} ${kind} ${key} by ${actor}`)
      }
    }
    return { errors }
  }

  #change(action: string, plugin: string, actor: string): void {
    if (this.failure !== undefined) throw this.failure
    if (!this.plugins.has(plugin))
      throw new HostError('PLUGIN_NOT_FOUND', 404, `no plugin is called "${plugin}"`)
    this.done.push(`${action} ${plugin} by ${actor}`)
  }

  async #approve(
    routes: readonly RouteReference[],
    actor: string,
    approved: boolean,
  ): Promise<ApprovalResult> {
    const errors: string[] = []
    for (const { plugin, method, path } of routes) {
      const index = this.routeList.findIndex(
        (route) => route.plugin === plugin && route.method === method && route.path === path,
      )
      const found = this.routeList[index]
      if (found === undefined) errors.push(`route ${method} ${path} of ${plugin} not found`)
      else {
        this.routeList[index] = { ...found, approved }
        this.done.push(`${approved ? 'approve' : 'revoke'} ${plugin} ${method} ${path} by ${actor}`)
      }
    }
    return { errors }
  }
}

/** Details of a running plugin; `changes` replace fields. */
export function pluginDetails(name: string, changes: Partial<PluginDetails> = {}): PluginDetails {
  return {
    name,
    version: '1.0.0',
    description: `The ${name} plugin.`,
    state: 'running',
    circuit_breaker_state: 'closed',
    circuit_breaker_errors: 0,
    circuit_breaker_trips: 0,
    calls_in_flight: 0,
    budget_kills: {},
    quarantined: false,
    vms_available: 3,
    vms_total: 4,
    content_hash: 'ab'.repeat(32),
    generation: 7,
    ...changes,
  }
}

/** A grant that waits for approval; `changes` replace fields. */
export function grantListing(
  plugin: string,
  kind: GrantKind,
  key: string,
  changes: Partial<FakeGrant> = {},
): FakeGrant {
  return { plugin, kind, key, description: '', approved: false, ...changes }
}

/** A route that waits for approval; `changes` replace fields. */
export function routeListing(
  plugin: string,
  method: string,
  path: string,
  changes: Partial<RouteListing> = {},
): RouteListing {
  return { plugin, method, path, public: false, approved: false, plugin_version: '1.0.0', ...changes }
}
