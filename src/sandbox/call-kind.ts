import type { LuaApi } from './lua-api.js'
import type { Pointer } from './lua-wasm.js'
import type { SecretGuard } from './secret-guard.js'
import type { GenerationSettings } from './settings.js'
import type { TagTable } from './tags.js'
import type { ValueReader } from './value-reader.js'
import type { ValueWriter } from './value-writer.js'

/** What a call kind may use of the VM that runs it. Its functions run inside a protected Lua call. */
export interface CallSite {
  readonly lua: LuaApi
  readonly tags: TagTable
  readonly reader: ValueReader
  readonly writer: ValueWriter
  readonly limits: GenerationSettings
  /** Finds the secrets of the plugin in what it gives to others. */
  readonly secrets: SecretGuard
  /** The function that was registered under a kind and key; undefined when there is none. */
  handlerOf(kind: string, key: string): number | undefined
  /** All functions that were registered under a kind, in order. */
  handlersOf(kind: string): readonly number[]
  /** Pushes the prelude function that runs middleware before a handler. */
  pushChain(state: Pointer): void
  /** Pushes a global of the plugin, nil when it is not set. */
  pushGlobal(state: Pointer, name: string): void
  /** Tells the host side something that is no result; see `HostCall.report`. */
  report(kind: string, data: Readonly<Record<string, unknown>>): void
  /** Pushes a function that the Lua part of a hidden module gave. */
  pushHidden(state: Pointer, module: string, name: string): void
  /** Compiles a file of the plugin and pushes it as a function. */
  pushChunk(state: Pointer, file: string): void
}

/** What travels with a call. */
export interface CallInput {
  readonly payload: string
  readonly body: string
  readonly requestId: string
}

/** How one kind of call (an HTTP request, on_init) gets into Lua and how its result gets out. */
export interface CallKind {
  readonly name: string
  /** Pushes the function to call and its arguments; gives how many values it pushed. */
  enter(site: CallSite, state: Pointer, input: CallInput): number
  /** Reads the results, which lie at `first` and above; gives what crosses back to the host, flat. */
  leave(site: CallSite, state: Pointer, first: number): unknown[]
}
