/**
 * What a plugin may ask for beside routes: hooks (`before_create:content_data`), domains of outbound requests
 * (`api.example.com`), access to core tables (`content_data:read`) and to shared key-value namespaces (`config:read`),
 * stages in front of all requests (keyed as `declared-grants.ts` says), access to the gateway (`log:read`), and authenticators
 * and authorizers (`authorizer office_hours`).
 */
export const grantKinds = ['hook', 'domain', 'core', 'kv', 'stage', 'gateway', 'auth'] as const

export type GrantKind = (typeof grantKinds)[number]

/** Something that a generation asks for. */
export interface DeclaredGrant {
  readonly kind: GrantKind
  /** Unique within its kind. */
  readonly key: string
  /** What an operator wants to know of it, e.g. what a domain is for. */
  readonly description: string
}

/** The same with its approval. */
export interface ServedGrant extends DeclaredGrant {
  readonly approved: boolean
  /**
   * True for a stage that was approved until the plugin changed, and about which no admin has decided since. What it
   * guarded stays shut meanwhile.
   */
  readonly held?: boolean
}

/** What one generation has asked for and been granted. A value: a change of an approval makes another table. */
export class GrantTable {
  readonly grants: readonly ServedGrant[]
  readonly #approved: ReadonlySet<string>

  private constructor(grants: readonly ServedGrant[]) {
    this.grants = grants
    this.#approved = new Set(
      grants.filter(({ approved }) => approved).map(({ kind, key }) => `${kind} ${key}`),
    )
  }

  static create(grants: readonly ServedGrant[]): GrantTable {
    return new GrantTable([...grants])
  }

  /** True when a plugin may use what it has asked for; false also for what it never asked for. */
  isApproved(kind: GrantKind, key: string): boolean {
    return this.#approved.has(`${kind} ${key}`)
  }

  /** All of one kind. */
  of(kind: GrantKind): readonly ServedGrant[] {
    return this.grants.filter((grant) => grant.kind === kind)
  }

  /** Keys of the stages that wait for a new approval. */
  heldStages(): readonly string[] {
    return this.of('stage')
      .filter(({ held }) => held === true)
      .map(({ key }) => key)
  }

  /** Keys of the stages that are missed as long as the plugin does not run. */
  guardingStages(): readonly string[] {
    return this.of('stage')
      .filter(({ approved, held }) => approved || held === true)
      .map(({ key }) => key)
  }

  /** Whether a plugin has asked for something, approved or not. */
  isAskedFor(kind: GrantKind, key: string): boolean {
    return this.grants.some((grant) => grant.kind === kind && grant.key === key)
  }

  /** The same table with one approval changed; a grant that was not asked for is not added. */
  with(kind: GrantKind, key: string, approved: boolean): GrantTable {
    return GrantTable.create(
      this.grants.map((grant) =>
        grant.kind === kind && grant.key === key ? { ...grant, approved, held: false } : grant,
      ),
    )
  }
}
