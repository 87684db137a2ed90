import type { CallFailureCode } from './generation.js'
import type { PreludeFiles } from './prelude-files.js'
import type { GenerationSettings } from './settings.js'

/**
 * What the host and an executor thread say to each other. A message is an array: a batch of items, each a kind
 * (a small number) followed by a fixed count of fields, so that structured cloning copies texts and numbers only.
 *
 *   host ─▶ executor   define, forget, prepare, load, call, answer
 *   executor ─▶ host   ready, done, failed, report, ask
 */
export type Batch = unknown[]

/** Items that the host sends. */
export const hostItem = {
  /** A generation may be called from now on: one `GenerationDefinition`. */
  define: 0,
  /** A generation is closed: its id. */
  forget: 1,
  /** Build VMs of a generation ahead of its calls: id, how many, at once (else when it is quiet). */
  prepare: 2,
  /** Build a VM and run init.lua in it: claim, generation, phase. In phase `module` the VM is kept. */
  load: 3,
  /** One call: claim, generation, kind, phase, payload, body, request id, deadline (ms), operations. */
  call: 4,
  /** The answer to an `ask`: its number, whether it went well, the value or the message. */
  answer: 5,
} as const

/** Items that an executor sends. */
export const executorItem = {
  /** The thread is up: its id for the operating system (0 when unknown). */
  ready: 0,
  /** A call ended well: claim, count of values, the values. */
  done: 1,
  /** A call failed: claim, code, message. */
  failed: 2,
  /** Something to note: kind, plugin, generation, data. */
  report: 3,
  /** A suspended call asks the host: number of the question, a `HostAsk`. */
  ask: 4,
} as const

/** Something that an executor tells of a plugin and that is no result: a log line, a table that drifted. */
export interface ExecutorReport {
  readonly kind: string
  readonly plugin: string
  /** 0 when it concerns no single generation. */
  readonly generation: number
  readonly data: unknown
}

export interface GenerationDefinition {
  readonly id: number
  readonly plugin: string
  readonly version: string
  readonly files: ReadonlyMap<string, string>
  readonly settings: GenerationSettings
}

/** Data that an executor thread starts with. */
export interface ExecutorData {
  readonly shared: SharedArrayBuffer
  readonly softLimits: boolean
  /** True counts the lines of plugins as they run. */
  readonly coverage: boolean
  readonly prelude: PreludeFiles
  /** Whatever the thread's entry needs to compose its services. */
  readonly composition: unknown
}

export interface FailedCall {
  readonly code: CallFailureCode
  readonly message: string
}
