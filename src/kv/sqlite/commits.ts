import { kvLimits } from '../../base/limits/kv.js'
import { kvCommitTooLarge, kvQuotaExceeded } from '../errors.js'
import { type Commit, type CommitResult, type Mutation, mutationBytes, type NewMessage } from '../store.js'
import { logChange, trimChanges } from './change-log.js'
import { CommitPlan, type PlannedEntry } from './commit-plan.js'
import { claimMessages, insertMessage } from './messages.js'
import type { CommitContext, EntryObserver, Observe } from './observers.js'
import type { KvSession, NamespaceState } from './session.js'

const refused: CommitResult = { ok: false, versionstamp: 0, messageIds: [], deleted: 0 }

/** What commits need beside the session. */
export interface CommitSettings {
  /** Bytes that one namespace may hold. */
  readonly namespaceBytesMax: number
  readonly observers: readonly Observe[]
}

/** Several commits of one transaction. */
export class CommitRun {
  readonly #session: KvSession
  readonly #settings: CommitSettings
  readonly #nowMs: number
  readonly #states = new Map<string, NamespaceState>()

  constructor(session: KvSession, settings: CommitSettings, nowMs: number) {
    this.#session = session
    this.#settings = settings
    this.#nowMs = nowMs
  }

  /**
   * Applies one commit. An error of the store leaves nothing of it behind, so that others can go on.
   *
   * @throws HostError for what is refused; SQLite's errors, after which the whole transaction is to be given up.
   */
  apply(namespace: string, { checks, mutations, depth = 0 }: Commit): CommitResult {
    checkSize(checks.length, mutations)
    const state = this.#namespace(namespace)
    const plan = new CommitPlan(this.#session, state.id, this.#nowMs)
    if (!checks.every((check) => plan.holds(check))) return refused
    for (const mutation of mutations) if (mutation.type !== 'enqueue') plan.add(mutation)
    const messages = mutations.flatMap((mutation) => (mutation.type === 'enqueue' ? [mutation.message] : []))
    const observers = this.#observers(state, plan, depth)
    for (const observer of observers) observer.check?.(plan.changes)
    this.#claimRoom(state, plan, messages)
    state.versionstamp += 1
    this.#write(state, plan, observers)
    const messageIds = messages.map((message) => insertMessage(this.#session, state, message, this.#nowMs))
    return { ok: true, versionstamp: state.versionstamp, messageIds, deleted: plan.deleted }
  }

  /** Writes back what the commits counted; the last step of the transaction. */
  finish(): void {
    for (const state of this.#states.values()) this.#session.writeNamespace(state)
  }

  #namespace(name: string): NamespaceState {
    const known = this.#states.get(name)
    if (known !== undefined) return known
    const state = this.#session.readNamespace(name, this.#nowMs)
    this.#states.set(name, state)
    return state
  }

  #claimRoom(state: NamespaceState, plan: CommitPlan, messages: readonly NewMessage[]): void {
    const { namespaceBytesMax: bytesMax } = this.#settings
    const growth = plan.growth()
    const bytes = state.bytes + growth.bytes
    const messageBytes = claimMessages(state, messages)
    // What frees room is never refused, or a full namespace could not be emptied.
    if (bytes + messageBytes > bytesMax && growth.bytes + messageBytes > 0) {
      throw kvQuotaExceeded({ namespace: state.name, bytes: state.bytes, bytesMax })
    }
    state.bytes = bytes
    state.entries += growth.entries
  }

  #write(state: NamespaceState, plan: CommitPlan, observers: readonly EntryObserver[]): void {
    if (plan.changes.length === 0) return
    let ordinal = 0
    for (const entry of plan.entries.values()) {
      if (!entry.isChanged) continue
      this.#writeEntry(state, entry)
      logChange(this.#session, state, ordinal, entry.key, entry.value)
      ordinal += 1
    }
    trimChanges(this.#session, state)
    for (const observer of observers) {
      for (const { key, value } of plan.changes) observer.changed?.(key, value)
      observer.finish?.()
    }
  }

  #writeEntry(state: NamespaceState, { key, value, expiresAt, rowBytes }: PlannedEntry): void {
    if (value !== undefined) {
      this.#session
        .statement(
          'insert into kv_entries (namespace, key, kind, value, versionstamp, expires_at) values (?, ?, ?, ?, ?, ?) on conflict do update set kind = excluded.kind, value = excluded.value, versionstamp = excluded.versionstamp, expires_at = excluded.expires_at',
        )
        .run(state.id, key, value.kind, value.data, state.versionstamp, expiresAt ?? null)
    } else if (rowBytes !== undefined) {
      this.#session.statement('delete from kv_entries where namespace = ? and key = ?').run(state.id, key)
    }
  }

  #observers(state: NamespaceState, plan: CommitPlan, depth: number): readonly EntryObserver[] {
    if (plan.changes.length === 0) return []
    const context: CommitContext = {
      session: this.#session,
      state,
      nowMs: this.#nowMs,
      depth,
      namespaceBytesMax: this.#settings.namespaceBytesMax,
      namespace: (name) => this.#namespace(name),
    }
    return this.#settings.observers.flatMap((observe) => observe(context) ?? [])
  }
}

/** @throws `KV_COMMIT_TOO_LARGE`. */
function checkSize(checks: number, mutations: readonly Mutation[]): void {
  refuseAbove(checks, kvLimits.checksMax, 'checks')
  refuseAbove(mutations.length, kvLimits.mutationsMax, 'mutations')
  let bytes = 0
  for (const mutation of mutations) bytes += mutationBytes(mutation)
  refuseAbove(bytes, kvLimits.commitBytesMax, 'bytes of keys and values')
}

function refuseAbove(count: number, max: number, what: string): void {
  if (count > max) throw kvCommitTooLarge({ count, max, what })
}
