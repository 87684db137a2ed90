import { kvLimits } from '../../base/limits/kv.js'
import type { KvSession } from './session.js'

/** Where the change log of a namespace begins and ends. */
export interface ChangeBounds {
  /** Versionstamp of the last commit; 0 before the first. */
  readonly versionstamp: number
  /** Versionstamp up to which changes have been forgotten. */
  readonly changesFrom: number
}

/** What a commit did to one key. */
export interface StoredChange {
  readonly key: Buffer
  readonly versionstamp: number
  /** Null where the entry was deleted or has expired. */
  readonly kind: number | null
  readonly data: string | Buffer | null
}

/** Some of the changes of whole commits. */
export interface ChangeStep {
  readonly changes: readonly StoredChange[]
  /** Versionstamp up to which all have been looked at. */
  readonly until: number
  /** False when there may be more behind it. */
  readonly isLast: boolean
}

type ChangeRow = readonly [
  versionstamp: number,
  key: Buffer,
  kind: number | null,
  data: string | Buffer | null,
]

const empty: ChangeBounds = { versionstamp: 0, changesFrom: 0 }

/** Reads the change log of namespaces. */
export class ChangeReader {
  readonly #session: KvSession

  constructor(session: KvSession) {
    this.#session = session
  }

  bounds(namespace: string): ChangeBounds {
    const row = this.#session
      .statement('select versionstamp, changes_from from kv_namespaces where name = ?')
      .get(namespace) as readonly [number, number] | undefined
    return row === undefined ? empty : { versionstamp: row[0], changesFrom: row[1] }
  }

  /** A number that changes with the commits of other connections, those of other processes included. */
  dataVersion(): number {
    const [version] = this.#session.statement('pragma data_version').get() as [number]
    return version
  }

  /** Runs reads at one moment. */
  snapshot<T>(read: () => T): T {
    return this.#session.snapshot(read)
  }

  /**
   * Reads the next changes.
   *
   * @param after Versionstamp of the last commit that is known.
   * @param wants False for keys that are passed over.
   * @returns Undefined when changes behind `after` have been forgotten, or no such commit has been.
   */
  read(namespace: string, after: number, wants: (key: Buffer) => boolean): ChangeStep | undefined {
    return this.#session.snapshot(() => {
      const { versionstamp, changesFrom } = this.bounds(namespace)
      if (after < changesFrom || after > versionstamp) return undefined
      if (after === versionstamp) return { changes: [], until: after, isLast: true }
      return this.#step(namespace, after, versionstamp, wants)
    })
  }

  #step(namespace: string, after: number, last: number, wants: (key: Buffer) => boolean): ChangeStep {
    const id = this.#session.namespaceId(namespace) ?? 0
    const rows = this.#session
      .statement(
        'select versionstamp, key, kind, value from kv_changes where namespace = ? and versionstamp > ? order by versionstamp, ordinal',
      )
      .iterate(id, after) as IterableIterator<ChangeRow>
    const changes: StoredChange[] = []
    let until = after
    let looked = 0
    let bytes = 0
    for (const [versionstamp, key, kind, data] of rows) {
      const isFull = looked >= kvLimits.watchStepChanges || bytes >= kvLimits.watchStepBytes
      // Commits are not cut in two.
      if (isFull && versionstamp !== until) return { changes, until, isLast: false }
      until = versionstamp
      looked += 1
      if (!wants(key)) continue
      bytes += key.length + (data?.length ?? 0)
      changes.push({ key, versionstamp, kind, data })
    }
    return { changes, until: last, isLast: true }
  }
}
