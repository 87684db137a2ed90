import type { StoredValue } from '../stored-value.js'
import type { KvSession, NamespaceState } from './session.js'

/** A mutation as it came out: a key, and what it holds from now on; undefined when it is gone. */
export interface EntryChange {
  readonly key: Buffer
  readonly value: StoredValue | undefined
}

/** Follows the entries of a namespace inside each commit. */
export interface EntryObserver {
  /**
   * Looks at all mutations before anything is written.
   *
   * @throws HostError to have the commit refused.
   */
  check?(changes: readonly EntryChange[]): void
  /**
   * Told of each mutation, in order.
   *
   * @param value What the entry holds from now on; undefined when it is gone.
   */
  changed?(key: Buffer, value: StoredValue | undefined): void
  /** Told once all mutations of the commit have been, for work that only the last value of a key is worth. */
  finish?(): void
}

/** What an observer may see of the commit. */
export interface CommitContext {
  readonly session: KvSession
  /** The namespace that is written to; its versionstamp is the one of this commit. */
  readonly state: NamespaceState
  readonly nowMs: number
  /** See `Commit.depth`. */
  readonly depth: number
  /** Bytes that one namespace may hold. */
  readonly namespaceBytesMax: number
  /** Reads another namespace, to be written back with this commit. */
  namespace(name: string): NamespaceState
}

/** Gives the observer for a commit; undefined where the namespace has nothing that it would follow. */
export type Observe = (context: CommitContext) => EntryObserver | undefined
