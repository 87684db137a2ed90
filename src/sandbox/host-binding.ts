import { vmLimits } from '../base/limits/sandbox.js'
import type { HostCall, HostFunction, Param } from './host-function.js'
import { type LuaApi, luaType } from './lua-api.js'
import { LuaRaise, type LuaValue, Results } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'
import { type Phase, phaseNames } from './phase.js'
import { typeNames } from './table-reader.js'
import type { ValueReader } from './value-reader.js'
import type { ValueWriter } from './value-writer.js'

/** An operation that Lua asks for: reads its arguments from the stack and gives the number of results it pushed. */
export type Operation = (state: Pointer) => number

/** What a host function needs of its VM. */
export interface Binding<Services> {
  readonly lua: LuaApi
  readonly reader: ValueReader
  readonly writer: ValueWriter
  /** The call in progress. */
  readonly call: HostCall<Services>
  /** Keeps the promise of an `async` function, for the VM to wait on after Lua has yielded. */
  suspend(promise: Promise<LuaValue | Results>): void
}

/** Index of the first argument: the operation number lies below it. */
const firstArgument = 2

/** Makes the operation of one host function: phase, budget and argument types are checked before its handler runs. */
export function bindFunction<Services>(
  binding: Binding<Services>,
  moduleName: string,
  fn: HostFunction<Services>,
): Operation {
  const name = `${moduleName}.${fn.title ?? fn.name}`
  const allowed = new Set<Phase>(fn.phases)
  return (state) => {
    const { call } = binding
    call.budget.checkTime()
    if (!allowed.has(call.phase)) throw new LuaRaise(phaseRefusal(name, call.phase, fn.phases))
    if (fn.mode === 'async' && call.isHolding) {
      throw new LuaRaise(
        `${name} is not allowed inside db.transaction: nothing may wait while a lock is held`,
      )
    }
    if (fn.cost > 0) call.budget.charge(fn.cost)
    const result = fn.handler(call, ...readArguments(binding, state, name, fn.params))
    if (!(result instanceof Promise)) return pushResult(binding, state, result)
    if (fn.mode !== 'async') throw new Error(`${name} is declared sync and gave a promise`)
    binding.suspend(result)
    return 0
  }
}

/** Pushes what a handler returned: several results, nothing for undefined, or one value. */
export function pushResult<Services>(
  binding: Pick<Binding<Services>, 'lua' | 'writer'>,
  state: Pointer,
  result: LuaValue | Results,
): number {
  if (result === undefined) return 0
  if (!(result instanceof Results)) {
    binding.writer.push(state, result)
    return 1
  }
  if (binding.lua.raw.lua_checkstack(state, result.values.length + 4) === 0) {
    throw new LuaRaise('too many results for the Lua stack')
  }
  for (const value of result.values) binding.writer.push(state, value)
  return result.values.length
}

function phaseRefusal(name: string, phase: Phase, allowed: readonly Phase[]): string {
  if (allowed.every((each) => each === 'manifest' || each === 'module')) {
    return `${name} must be called at module scope, not inside on_init or a handler`
  }
  const places = [...new Set(allowed.map((each) => phaseNames[each]))].join(', ')
  return `${name} is not allowed ${phaseNames[phase]}; call it ${places}`
}

function readArguments<Services>(
  binding: Binding<Services>,
  state: Pointer,
  name: string,
  params: readonly Param[],
): LuaValue[] {
  const { raw } = binding.lua
  const top = raw.lua_gettop(state)
  const given = top - firstArgument + 1
  if (given > vmLimits.hostArgumentsMax) {
    throw new LuaRaise(
      `too many arguments to '${name}' (${given}; the limit is ${vmLimits.hostArgumentsMax})`,
    )
  }
  const values: LuaValue[] = []
  let bytes = 0
  for (const [at, param] of params.entries()) {
    const last = param.rest === true ? Math.max(top, firstArgument + at - 1) : firstArgument + at
    for (let index = firstArgument + at; index <= last; index += 1) {
      const value = readArgument(binding, state, index, name, param)
      if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
      if (bytes > vmLimits.marshalBytesMax) {
        throw new LuaRaise(`arguments to '${name}' too large: more than ${vmLimits.marshalBytesMax} bytes`)
      }
      values.push(value)
    }
  }
  return values
}

function readArgument<Services>(
  { lua, reader }: Binding<Services>,
  state: Pointer,
  index: number,
  name: string,
  param: Param,
): LuaValue {
  const type = lua.raw.lua_type(state, index)
  if (type <= luaType.nil && (param.optional === true || param.type === 'any')) return undefined
  switch (param.type) {
    case 'function':
      if (type === luaType.function) return reader.readFunction(state, index)
      break
    case 'string':
      if (type === luaType.string) return lua.readString(state, index)
      if (type === luaType.number) return String(lua.readNumber(state, index))
      break
    case 'number':
      if (type === luaType.number) return lua.readNumber(state, index)
      break
    case 'integer':
      return readInteger(lua, state, index, name)
    case 'boolean':
      if (type === luaType.boolean) return reader.read(state, index)
      break
    case 'table':
      if (type === luaType.table) return reader.read(state, index)
      break
    case 'any':
      return reader.read(state, index)
  }
  throw badArgument(lua, state, index, name, param.type)
}

function readInteger(lua: LuaApi, state: Pointer, index: number, name: string): number | bigint {
  if (lua.raw.lua_type(state, index) === luaType.number) {
    const value = lua.readNumber(state, index)
    if (typeof value === 'bigint' || Number.isInteger(value)) return value
  }
  throw badArgument(lua, state, index, name, 'integer')
}

function badArgument(lua: LuaApi, state: Pointer, index: number, name: string, expected: string): LuaRaise {
  const type = lua.raw.lua_type(state, index)
  const got = type < 0 ? 'no value' : typeNames[type]
  return new LuaRaise(
    `bad argument #${index - firstArgument + 1} to '${name}' (${expected} expected, got ${got})`,
  )
}
