import type { Transaction } from 'kysely'
import { routeKey } from '../capabilities/http/route-rules.js'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables } from '../database/tables.js'
import { ApprovalStore } from './approval-store.js'
import type { Approval, ApprovalPlan, ApprovalTerms, DeclaredRoute } from './approvals.js'
import { type GrantPlan, grantTableOf, planGrants } from './grants/grant-plan.js'
import { GrantStore } from './grants/grant-store.js'
import type { DeclaredGrant, GrantTable } from './grants/grant-table.js'
import { type WithdrawnApproval, WithdrawnApprovals } from './withdrawn-approvals.js'

/** All that a generation asks for. */
export interface Declarations {
  readonly routes: readonly DeclaredRoute[]
  readonly grants: readonly DeclaredGrant[]
}

/** What of it is approved, and what was approved before and is so no longer. */
export interface SettledApprovals {
  readonly routes: ApprovalPlan
  readonly grants: GrantPlan
  /** Keys of all stages that were approved until the plugin changed, and were not revoked since. */
  readonly formerStages: ReadonlySet<string>
}

/** The tables that hold a row for each approval of a plugin. */
const approvalTables = ['plugin_routes', 'plugin_grants', 'plugin_withdrawn_approvals'] as const

/** The stored approvals of everything that plugins ask for. */
export class PluginApprovals {
  readonly routes: ApprovalStore
  readonly grants: GrantStore
  readonly withdrawn: WithdrawnApprovals
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
    this.routes = new ApprovalStore(database)
    this.grants = new GrantStore(database)
    this.withdrawn = new WithdrawnApprovals(database)
  }

  /** Brings the rows of one plugin in line with a generation that goes into service: all of them or none. */
  settle(plugin: string, declared: Declarations, terms: ApprovalTerms): Promise<SettledApprovals> {
    return this.#database.transaction(async (transaction) => {
      const routes = await this.routes.apply(transaction, plugin, { ...terms, routes: declared.routes })
      const grants = await this.grants.apply(transaction, plugin, { ...terms, grants: declared.grants })
      await this.withdrawn.note(transaction, plugin, withdrawnOf({ routes, grants }), terms.now)
      return { routes, grants, formerStages: await this.withdrawn.stages(transaction, plugin) }
    })
  }

  /** What is stored of the stages, authenticators and authorizers of a plugin, for the time in which it cannot be loaded. */
  async stagesOf(plugin: string): Promise<GrantTable> {
    const stored = await this.grants.of(plugin)
    const former = await this.#database.withBusyRetry((kysely) => this.withdrawn.stages(kysely, plugin))
    return grantTableOf(
      { approvals: stored.filter(({ kind }) => kind === 'stage' || kind === 'auth') },
      former,
    )
  }

  /** Tells what `settle` would make of the grants at this moment; stores nothing. */
  async foresee(plugin: string, grants: readonly DeclaredGrant[], terms: ApprovalTerms): Promise<GrantPlan> {
    return planGrants({ ...terms, grants, stored: await this.grants.of(plugin) })
  }

  /**
   * Forgets the approvals of plugins that are gone; resolves to their names. Only for a discovery that has told
   * every plugin.
   *
   * @param present Names of all plugins that there are; when it is empty nothing is forgotten, because a plugin
   *   directory that is not mounted looks the same.
   */
  async forgetAbsent(present: readonly string[]): Promise<readonly string[]> {
    if (present.length === 0) return []
    return this.#database.transaction(async (transaction) => {
      const known = await selectPlugins(transaction)
      const absent = known.filter((name) => !present.includes(name))
      for (const name of absent) {
        for (const table of approvalTables) {
          await transaction.deleteFrom(table).where('plugin_name', '=', name).execute()
        }
      }
      return absent
    })
  }
}

async function selectPlugins(transaction: Transaction<CoreTables>): Promise<readonly string[]> {
  const names = new Set<string>()
  for (const table of approvalTables) {
    const rows = await transaction.selectFrom(table).select('plugin_name').distinct().execute()
    for (const row of rows) names.add(row.plugin_name)
  }
  return [...names].sort()
}

function withdrawnOf({
  routes,
  grants,
}: Omit<SettledApprovals, 'formerStages'>): readonly Omit<WithdrawnApproval, 'withdrawnAt'>[] {
  return [
    ...routes.withdrawn.map((row) => ({
      kind: 'route' as const,
      key: routeKey(row.method, row.path),
      ...formerly(row),
    })),
    ...grants.withdrawn.map((row) => ({ kind: row.kind, key: row.key, ...formerly(row) })),
  ]
}

function formerly({ version, approvedAt, approvedBy }: Approval) {
  return { version, approvedAt: approvedAt ?? '', approvedBy: approvedBy ?? '' }
}
