import { messageOf } from '../../base/errors.js'
import type { ApprovalResult, GrantRequest } from '../administration.js'
import type { Catalogue } from '../catalogue.js'
import type { PluginEntry } from '../plugin-entry.js'
import type { PluginLog } from '../plugin-log.js'
import type { SerialQueue } from '../serial-queue.js'
import type { ServiceFollower } from '../service-follower.js'
import type { WithdrawnApprovals } from '../withdrawn-approvals.js'
import type { GrantStore } from './grant-store.js'
import type { GrantKind } from './grant-table.js'

export interface GrantApprovalsOptions {
  readonly catalogue: Catalogue
  readonly store: GrantStore
  readonly withdrawn: Pick<WithdrawnApprovals, 'forget'>
  readonly log: PluginLog
  /** Gives the time as RFC 3339. */
  readonly now: () => string
  /** Orders changes of the approvals and the swaps of each plugin. */
  readonly swaps: SerialQueue
  /** Is told when what a plugin may do has changed. */
  readonly follower?: ServiceFollower | undefined
}

/** How each kind is called in front of operators. */
const kindNames: Readonly<Record<GrantKind, string>> = {
  hook: 'hook',
  domain: 'domain',
  core: 'core access',
  kv: 'access to the shared namespace',
  stage: 'stage',
  gateway: 'access to the gateway',
  auth: 'part in who may do what: the',
}

/** Approves and revokes what plugins ask for beside routes: in the database first, then for the next use. */
export class GrantApprovals {
  readonly #options: GrantApprovalsOptions

  constructor(options: GrantApprovalsOptions) {
    this.#options = options
  }

  /** Approves what a plugin asks for, for the version and the source that is loaded. */
  approve(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#change(grants, async (request, entry) => {
      if (entry === undefined || !entry.served.grants.isAskedFor(request.kind, request.key)) return false
      entry.assertSource(request.contentHash)
      const { log, now, store } = this.#options
      const { plugin, kind, key } = request
      const version = entry.manifest?.version ?? ''
      const { contentHash } = entry
      const isStored = await store.approve({ plugin, kind, key, version, contentHash, actor, now: now() })
      if (!isStored) return false
      entry.approveGrant(kind, key)
      await this.#tellFollower(entry, kind)
      log.info({ plugin, kind, key, version, contentHash, actor }, 'grant approved')
      return true
    })
  }

  /** Withdraws approvals, also stored ones of plugins that do not run. */
  revoke(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#change(grants, async ({ plugin, kind, key }, entry) => {
      const isStored = await this.#options.store.revoke({ plugin, kind, key })
      // A stage that only waits guards no longer either.
      if (kind === 'stage') await this.#options.withdrawn.forget(plugin, kind, key)
      const isKnown = entry?.served.grants.isAskedFor(kind, key) ?? false
      entry?.revokeGrant(kind, key)
      if (entry !== undefined) await this.#tellFollower(entry, kind)
      if (isStored || isKnown) this.#options.log.info({ plugin, kind, key, actor }, 'grant revoked')
      return isStored || isKnown
    })
  }

  async #tellFollower({ name, serving, served }: PluginEntry, kind: GrantKind): Promise<void> {
    if (kind !== 'kv' || serving === undefined) return
    await this.#options.follower?.serves(name, serving.inspection.registrations, served.grants)
  }

  async #change(
    grants: readonly GrantRequest[],
    apply: (request: GrantRequest, entry: PluginEntry | undefined) => Promise<boolean>,
  ): Promise<ApprovalResult> {
    const errors: string[] = []
    for (const request of grants) {
      const { plugin, kind, key } = request
      const name = `${kindNames[kind]} ${key} of plugin "${plugin}"`
      try {
        const entry = () => this.#options.catalogue.get(plugin)
        const isDone = await this.#options.swaps.run(plugin, () => apply(request, entry()))
        if (!isDone) errors.push(`${name} not found`)
      } catch (error) {
        errors.push(`${name} was not changed: ${messageOf(error)}`)
      }
    }
    return { errors }
  }
}
