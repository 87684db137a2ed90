import { messageOf } from '../base/errors.js'
import { routeKey, routesOf } from '../capabilities/http/route-rules.js'
import type { Generation } from '../sandbox/generation.js'
import { type ApprovalBinding, type ApprovalTerms, declaredRoute, type RouteApproval } from './approvals.js'
import { PluginBreaker } from './breaker.js'
import { declaredGrants } from './grants/declared-grants.js'
import { grantTableOf } from './grants/grant-plan.js'
import type { GrantTable } from './grants/grant-table.js'
import type { Candidate } from './loader.js'
import type { PluginApprovals, SettledApprovals } from './plugin-approvals.js'
import type { PluginEntry, RetiredGeneration } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import { RouteTable, type ServedRoute } from './route-table.js'
import type { SerialQueue } from './serial-queue.js'
import type { ServiceFollower } from './service-follower.js'

export interface BreakerSettings {
  /** Failures in a row that open the breaker of a plugin. */
  readonly failuresMax: number
  /** Time after which an open breaker lets a probe through. */
  readonly resetMs: number
}

export interface ActivatorOptions {
  readonly approvals: PluginApprovals
  readonly binding: ApprovalBinding
  readonly breaker: BreakerSettings
  /** Is told when the breaker of a plugin, which was closed, opens. */
  tripped(plugin: string): void
  readonly log: PluginLog
  /** Gives the time as RFC 3339. */
  readonly now: () => string
  /** Orders changes of the approvals and the swaps of each plugin; shared with who else changes approvals. */
  readonly swaps: SerialQueue
  /** Is told which generations serve. */
  readonly follower?: ServiceFollower | undefined
}

/** Puts generations into service and takes them out again. */
export class Activator {
  readonly #options: ActivatorOptions
  #activations = 0

  constructor(options: ActivatorOptions) {
    this.#options = options
  }

  createBreaker(plugin: string): PluginBreaker {
    const onTrip = (failures: number, again: boolean) => {
      this.#options.log.warn({ plugin, failures }, 'plugin breaker opened: its calls fail')
      if (!again) this.#options.tripped(plugin)
    }
    return new PluginBreaker({ ...this.#options.breaker, onTrip })
  }

  /**
   * Lets a generation that is about to run its on_init do what it will be allowed once it serves: what was approved
   * for its version and source. Stores nothing. A generation that is not activated must be dismissed (`entry.dismiss`).
   *
   * @throws Error when it asks for more than a plugin may ask for.
   */
  async admit(entry: PluginEntry, candidate: Candidate, generation: Generation): Promise<void> {
    const declared = declaredGrants(generation.inspection.registrations, candidate.manifest)
    await this.#options.swaps.run(entry.name, async () => {
      const plan = await this.#options.approvals.foresee(entry.name, declared, this.#termsOf(candidate))
      entry.admit(generation, grantTableOf(plan))
    })
  }

  /**
   * Settles the approvals of a generation that has passed its on_init, then puts it into service by replacing one
   * reference. Nothing has changed when it rejects. What served before is disposed of in the background
   * (`entry.retiring`).
   */
  async activate(entry: PluginEntry, candidate: Candidate, generation: Generation): Promise<void> {
    const retired = await this.#options.swaps.run(entry.name, () => this.#swap(entry, candidate, generation))
    entry.retiring = this.#dispose(entry, retired)
  }

  /** Disposes of the generation of a plugin that has been stopped; its breaker stays until the next swap. */
  retire(entry: PluginEntry): Promise<void> {
    entry.retiring = this.#dispose(entry, { generation: entry.served.generation, breaker: undefined })
    return entry.retiring
  }

  /** Lets the approved stages and routes of a plugin that does not run yet be missed until it does. */
  async hold(entry: PluginEntry): Promise<void> {
    await this.#options.swaps.run(entry.name, async () => {
      const { approvals } = this.#options
      const routes = await approvals.routes.approvedOf(entry.name)
      entry.hold(await approvals.stagesOf(entry.name), createRouteTable(routes.map(toServed), routes))
    })
  }

  /** To be told of a plugin that was disabled, or whose folder is gone. */
  async stopped(plugin: string): Promise<void> {
    await this.#options.follower?.stopped(plugin)
  }

  /** To be told of all plugins that there are. */
  async present(plugins: readonly string[]): Promise<void> {
    await this.#options.follower?.present(plugins)
  }

  async #swap(entry: PluginEntry, candidate: Candidate, generation: Generation): Promise<RetiredGeneration> {
    const { manifest, contentHash } = candidate
    const { registrations } = generation.inspection
    const routes = routesOf(registrations)
    // Before the transaction: routes that cannot be served must not touch the stored approvals.
    RouteTable.create(routes.map((route) => ({ ...route, approved: false })))
    const declared = { routes, grants: declaredGrants(registrations, manifest) }
    const plan = await this.#options.approvals.settle(entry.name, declared, this.#termsOf(candidate))
    this.#tellWithdrawn(entry.name, plan)
    this.#activations += 1
    const grants = grantTableOf(plan.grants, plan.formerStages)
    this.#tellHeld(entry.name, grants)
    await this.#options.follower?.serves(entry.name, registrations, grants)
    return entry.swap(
      {
        generation,
        manifest,
        contentHash,
        routes: createRouteTable(routes, plan.routes.approvals),
        grants,
        breaker: this.createBreaker(entry.name),
      },
      this.#activations,
    )
  }

  #termsOf({ manifest, contentHash }: Candidate): ApprovalTerms {
    const { binding, now } = this.#options
    return { version: manifest.version, contentHash, binding, now: now() }
  }

  #tellWithdrawn(plugin: string, { routes, grants }: SettledApprovals): void {
    const { log } = this.#options
    if (routes.withdrawn.length > 0) {
      const keys = routes.withdrawn.map(({ method, path }) => routeKey(method, path))
      log.warn({ plugin, routes: keys }, 'routes have changed and need a new approval')
    }
    if (grants.withdrawn.length > 0) {
      const keys = grants.withdrawn.map(({ kind, key }) => `${kind} ${key}`)
      log.warn({ plugin, grants: keys }, 'grants of the plugin need a new approval')
    }
  }

  #tellHeld(plugin: string, grants: GrantTable): void {
    const stages = grants.heldStages()
    if (stages.length === 0) return
    this.#options.log.warn(
      { plugin, stages },
      'stages that were approved before wait for a new approval: until they are approved or revoked, what they guard is shut',
    )
  }

  async #dispose(entry: PluginEntry, { generation, breaker }: RetiredGeneration): Promise<void> {
    const { log } = this.#options
    const { name: plugin } = entry
    try {
      if (generation !== undefined) {
        const drained = await generation.drain()
        if (!drained)
          log.warn({ plugin, generation: generation.id }, 'calls outlived the drain of their generation')
        await generation.close()
      }
    } catch (error) {
      log.error({ plugin, error: messageOf(error) }, 'a generation could not be closed')
    }
    if (generation !== undefined) entry.dismiss(generation)
    breaker?.close()
  }
}

/** A stored route as the generation registered it. */
function toServed(row: RouteApproval): Omit<ServedRoute, 'approved'> {
  const key = routeKey(row.method, row.path)
  return { key, ...declaredRoute(row), method: row.method as ServedRoute['method'] }
}

function createRouteTable(
  routes: readonly Omit<ServedRoute, 'approved'>[],
  approvals: readonly RouteApproval[],
): RouteTable {
  const approved = new Set(
    approvals.filter((row) => row.approved).map(({ method, path }) => routeKey(method, path)),
  )
  return RouteTable.create(routes.map((route) => ({ ...route, approved: approved.has(route.key) })))
}
