import type { Generation } from '../sandbox/generation.js'
import type { BreakerState, PluginBreaker } from './breaker.js'
import { pluginSourceChanged, pluginSwitchedOff } from './errors.js'
import { type GrantKind, GrantTable } from './grants/grant-table.js'
import type { Manifest } from './manifest.js'
import type { ServedPlugin } from './plugin-directory.js'
import type { PluginState } from './plugin-state.js'
import { RouteTable } from './route-table.js'

/** Everything that goes into service together. */
export interface NextGeneration {
  readonly generation: Generation
  readonly manifest: Manifest
  readonly contentHash: string
  readonly routes: RouteTable
  readonly grants: GrantTable
  readonly breaker: PluginBreaker
}

/** What has been taken out of service and is to be disposed of. */
export interface RetiredGeneration {
  readonly generation: Generation | undefined
  readonly breaker: PluginBreaker | undefined
}

/** One plugin as the host knows it, from discovery to shutdown. */
export class PluginEntry {
  readonly name: string
  /** Name of the folder that it was last found in. */
  folder: string
  /** Undefined until the folder could be read and inspected once. */
  manifest: Manifest | undefined
  /** What the admin wants; whether the plugin runs is `state`. */
  isEnabled = true
  /** Why the configuration takes it out; undefined when it does not. */
  offReason: string | undefined
  /** Why it does not run, or why the last reload did not succeed. */
  failedReason: string | undefined
  /** Fingerprint of the source of the current generation. */
  contentHash = ''
  /** Fingerprint of the code that was last loaded, or tried, without the plugin's tests; empty when there is none. */
  triedHash = ''
  /** Position in the order in which plugins were started; those that need others have higher ones. */
  loadNumber = 0
  /** Settles when what was taken out of service is disposed of. */
  retiring: Promise<void> = Promise.resolve()
  #served: ServedPlugin
  /** Grants of generations that run code without serving: one in its on_init, one that is being drained. */
  readonly #asideGrants = new Map<number, GrantTable>()

  constructor(name: string, folder: string, breaker: PluginBreaker) {
    this.name = name
    this.folder = folder
    this.#served = {
      name,
      state: 'discovered',
      generation: undefined,
      routes: RouteTable.create([]),
      grants: GrantTable.create([]),
      breaker,
    }
  }

  /** The one reference that requests take; replaced as a whole. */
  get served(): ServedPlugin {
    return this.#served
  }

  get state(): PluginState {
    return this.#served.state
  }

  get breakerState(): BreakerState {
    return this.#served.breaker.state
  }

  /** The generation that serves; undefined when none does. */
  get serving(): Generation | undefined {
    return this.#served.state === 'running' ? this.#served.generation : undefined
  }

  setState(state: PluginState): void {
    this.#served = { ...this.#served, state }
  }

  /** Says what stages and routes are missed while there is no generation; one that there is has its own. */
  hold(grants: GrantTable, missedRoutes: RouteTable): void {
    if (this.#served.generation === undefined) this.#served = { ...this.#served, grants, missedRoutes }
  }

  fail(reason: string): void {
    this.failedReason = reason
    // A generation that serves goes on: only the reason tells of the failure.
    if (this.state !== 'running') this.setState('failed')
  }

  /**
   * Makes sure that an approval is for what is loaded.
   *
   * @param contentHash Source that was looked at; any when missing.
   * @throws HostError PLUGIN_SOURCE_CHANGED.
   */
  assertSource(contentHash: string | undefined): void {
    if (contentHash === undefined || contentHash === this.contentHash) return
    throw pluginSourceChanged({ plugin: this.name })
  }

  /**
   * Makes sure that the configuration does not take the plugin out: no order starts it then.
   *
   * @throws HostError PLUGIN_SWITCHED_OFF.
   */
  assertOn(): void {
    if (this.offReason !== undefined) throw pluginSwitchedOff({ plugin: this.name, reason: this.offReason })
  }

  /** Replaces the routes, because an approval has changed. */
  setRoutes(routes: RouteTable): void {
    this.#served = { ...this.#served, routes }
  }

  /** What a generation of the plugin may do, also while it runs its on_init or is being drained. */
  grantsOf(generation: number): GrantTable {
    if (this.#served.generation?.id === generation) return this.#served.grants
    return this.#asideGrants.get(generation) ?? GrantTable.create([])
  }

  /** Gives a generation its grants before its on_init runs. */
  admit(generation: Generation, grants: GrantTable): void {
    this.#asideGrants.set(generation.id, grants)
  }

  /** Takes away what a generation was given that does not serve; no code of it runs any more. */
  dismiss(generation: Generation): void {
    this.#asideGrants.delete(generation.id)
  }

  /** Grants something to the generation that serves. */
  approveGrant(kind: GrantKind, key: string): void {
    this.#served = { ...this.#served, grants: this.#served.grants.with(kind, key, true) }
  }

  /** Takes a grant away from all generations of the plugin. */
  revokeGrant(kind: GrantKind, key: string): void {
    this.#served = { ...this.#served, grants: this.#served.grants.with(kind, key, false) }
    for (const [id, grants] of this.#asideGrants) this.#asideGrants.set(id, grants.with(kind, key, false))
  }

  /** Puts a generation into service; gives what served before. */
  swap(next: NextGeneration, loadNumber: number): RetiredGeneration {
    // The generation of a plugin that was stopped has been disposed of already.
    const retired = { generation: this.serving, breaker: this.#served.breaker }
    this.#asideGrants.delete(next.generation.id)
    if (retired.generation !== undefined) this.admit(retired.generation, this.#served.grants)
    if (this.state !== 'running') this.loadNumber = loadNumber
    this.manifest = next.manifest
    this.contentHash = next.contentHash
    this.failedReason = undefined
    this.#served = {
      name: this.name,
      state: 'running',
      generation: next.generation,
      routes: next.routes,
      grants: next.grants,
      breaker: next.breaker,
    }
    return retired
  }
}
