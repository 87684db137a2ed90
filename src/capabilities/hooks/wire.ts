/** What a hook of a plugin is called with. */
export interface HookCall {
  /** Key of the registration. */
  readonly key: string
  /** The data table as JSON. */
  readonly json: string
}

const separator = '\n'

/** Makes the flat text of a call; keys of registrations have no line feeds. */
export function encodeHookCall({ key, json }: HookCall): string {
  return `${key}${separator}${json}`
}

/** Reads what `encodeHookCall` made. */
export function decodeHookCall(text: string): HookCall {
  const end = text.indexOf(separator)
  return { key: text.slice(0, end), json: text.slice(end + 1) }
}

/** What a hook ahead of a write has to say. `set` is JSON text of an object. */
export interface WriteOpinion {
  /** Undefined when the hook allows the write; empty when it refuses without a message. */
  readonly deny: string | undefined
  readonly set: string | undefined
}

/** What a read hook has to say. */
export interface ReadOpinion {
  /** 0 when the hook does not answer itself. */
  readonly status: number
  /** Name, value, name, value. */
  readonly headers: readonly string[]
  /** JSON text; undefined for an answer without a body. */
  readonly json: string | undefined
  /** JSON text of the state that the hook leaves. */
  readonly state: string
}

export function encodeWriteOpinion({ deny, set }: WriteOpinion): unknown[] {
  return [deny, set]
}

export function decodeWriteOpinion(result: readonly unknown[]): WriteOpinion {
  const [deny, set] = result as readonly (string | undefined)[]
  return { deny, set }
}

export function encodeReadOpinion({ status, headers, json, state }: ReadOpinion): unknown[] {
  return [status, headers.join(separator), json, state]
}

export function decodeReadOpinion(result: readonly unknown[]): ReadOpinion {
  const [status, headers, json, state] = result as [number, string, string | undefined, string]
  return { status, headers: headers === '' ? [] : headers.split(separator), json, state }
}
