import type {
  AskedGrants,
  AuthPartListing,
  CoreAccessListing,
  GatewayAccessListing,
  HookListing,
  KvAccessListing,
  RequestListing,
  StageListing,
} from './administration.js'
import type { GrantReference } from './grants/grant-store.js'
import type { PluginEntry } from './plugin-entry.js'
import {
  listAuthParts,
  listCoreAccess,
  listGatewayAccess,
  listHooks,
  listKvAccess,
  listRequests,
  listStages,
} from './plugin-views.js'

/** Lists what plugins ask for beside routes. */
export class AskedByPlugins implements AskedGrants {
  readonly #entries: () => readonly PluginEntry[]

  /** @param entries Gives all plugins at this moment. */
  constructor(entries: () => readonly PluginEntry[]) {
    this.#entries = entries
  }

  hooks(): readonly HookListing[] {
    return this.#entries().flatMap(listHooks)
  }

  requests(): readonly RequestListing[] {
    return this.#entries().flatMap(listRequests)
  }

  coreAccess(): readonly CoreAccessListing[] {
    return this.#entries().flatMap(listCoreAccess)
  }

  kvAccess(): readonly KvAccessListing[] {
    return this.#entries().flatMap(listKvAccess)
  }

  stages(): readonly StageListing[] {
    return this.#entries().flatMap(listStages)
  }

  authParts(): readonly AuthPartListing[] {
    return this.#entries().flatMap(listAuthParts)
  }

  gatewayAccess(): readonly GatewayAccessListing[] {
    return this.#entries().flatMap(listGatewayAccess)
  }

  all(): readonly GrantReference[] {
    return this.#entries().flatMap(({ name: plugin, served }) =>
      served.grants.grants.map(({ kind, key }) => ({ plugin, kind, key })),
    )
  }
}
