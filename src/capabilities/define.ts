import type { HostCall, HostFunction, HostModule, Param } from '../sandbox/host-function.js'
import type { LuaValue, Results } from '../sandbox/lua-value.js'
import type { Phase } from '../sandbox/phase.js'
import type { ExecutorServices } from './services.js'

/** The call that a capability's handler serves. */
export type Call = HostCall<ExecutorServices>

/** A parameter with what the reference and the stubs say of it. */
export interface ParamDoc extends Param {
  /** LuaLS type where it says more than `type`, e.g. `db.QueryOptions`. */
  readonly luaType?: string
  readonly doc: string
}

export interface ReturnDoc {
  /** LuaLS type, e.g. `db.Row[]`. */
  readonly luaType: string
  readonly doc: string
}

export interface FunctionDefinition extends HostFunction<ExecutorServices> {
  /** What it does, its limits and errors, and what a missing value means; Markdown. */
  readonly doc: string
  readonly params: readonly ParamDoc[]
  readonly returns: readonly ReturnDoc[]
  /** Name of the approval that it needs, e.g. `outbound`; absent when every plugin may call it. */
  readonly permission?: string
  /** One Lua example, shown in the reference. */
  readonly example?: string
}

/** A class of tables in the stubs: the shape of an options argument or of a result. */
export interface ClassDoc {
  readonly name: string
  readonly doc: string
  /** LuaLS type that the name stands for, where it is no table with fields, e.g. `string|number`. */
  readonly alias?: string
  /** A field named `[string]` says what every other key holds. */
  readonly fields: readonly { readonly name: string; readonly luaType: string; readonly doc: string }[]
}

export interface ConstantDoc {
  readonly name: string
  readonly value: LuaValue
  readonly luaType: string
  readonly doc: string
}

/** Functions written in Lua on top of the host functions: documented here, not callable from the host. */
export type LuaFunctionDoc = Omit<FunctionDefinition, 'handler' | 'cost' | 'mode'>

export interface CapabilityDefinition {
  readonly name: string
  readonly doc: string
  readonly functions: readonly FunctionDefinition[]
  readonly classes?: readonly ClassDoc[]
  readonly constants?: readonly ConstantDoc[]
  /** See `HostModule.lua`; the functions that it adds are listed in `luaFunctions`. */
  readonly lua?: string
  readonly luaFunctions?: readonly LuaFunctionDoc[]
}

/** One Lua module: the single source of its checks, budget, stubs and reference. */
export interface Capability extends CapabilityDefinition {
  /** What the sandbox installs. */
  readonly module: HostModule<ExecutorServices>
}

/**
 * Declares a Lua module.
 *
 * @param definition Functions with their documentation, phases, cost and handlers.
 * @throws Error when two members share a name; that is a mistake in the host.
 */
export function defineCapability(definition: CapabilityDefinition): Capability {
  const names = new Set<string>()
  const members = [
    ...definition.functions,
    ...(definition.luaFunctions ?? []),
    ...(definition.constants ?? []),
  ]
  for (const { name } of members) {
    if (names.has(name)) throw new Error(`capability ${definition.name} defines ${name} twice`)
    names.add(name)
  }
  const constants = Object.fromEntries((definition.constants ?? []).map(({ name, value }) => [name, value]))
  return {
    ...definition,
    module: {
      name: definition.name,
      functions: definition.functions,
      constants,
      ...(definition.lua === undefined ? {} : { lua: definition.lua }),
    },
  }
}

export type { LuaValue, Phase, Results }
