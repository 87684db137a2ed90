import type { Identity, JsonValue } from './identity.js'

/** Whoever has acted; somebody whom nobody knows has no id. */
export interface Actor {
  readonly kind: string
  readonly id?: string | undefined
  /** What logs call them. */
  readonly name?: string | undefined
  readonly tenant?: string | undefined
}

/** One thing that somebody has done, or has tried to do, in the administration of a host. */
export interface RecordedAction {
  /** What it was, as `<noun>.<verb>`, e.g. `session.open`, `user.create`, `plugin.approve`. */
  readonly action: string
  readonly outcome: 'success' | 'failure'
  readonly actor: Actor
  /** What it was done to, e.g. `{ type: 'user', id: '01J…' }`. */
  readonly resource: { readonly type: string; readonly id?: string | undefined }
  /** What else is worth knowing; never a credential. */
  readonly details?: Readonly<Record<string, JsonValue>>
  readonly clientIp?: string | undefined
  readonly requestId?: string | undefined
}

/** Takes notice of an action. It neither fails nor makes anybody wait: what cannot be recorded is counted and logged. */
export type RecordAction = (action: RecordedAction) => void

/** Gives an identity as the one who acts; nobody that is known has neither id nor name. */
export function toActor({ kind, sub, name, tenant }: Identity): Actor {
  return kind === 'anonymous' ? { kind } : { kind, id: sub, name, tenant }
}
