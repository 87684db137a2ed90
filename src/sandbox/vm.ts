import { randomBytes } from 'node:crypto'
import { messageOf } from '../base/errors.js'
import { vmLimits } from '../base/limits/sandbox.js'
import { type Allowance, Budget } from './budget.js'
import { CallContext } from './call-context.js'
import type { CallInput, CallKind } from './call-kind.js'
import type { CallFailureCode } from './generation.js'
import { pushResult } from './host-binding.js'
import type { Registration } from './host-function.js'
import { Kill } from './kill.js'
import type { LineCoverage } from './line-coverage.js'
import { type LuaApi, LuaMemoryError, luaStatus, luaType, registryIndex } from './lua-api.js'
import { LuaRaise, type LuaValue, type Results } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'
import { failureText, hostPosition } from './operation-table.js'
import type { Phase } from './phase.js'
import { typeNames } from './table-reader.js'
import { buildWorld, type VmWorld, type WorldOptions } from './vm-world.js'

/** How a call ended inside its VM. */
export type VmResult =
  | { readonly ok: true; readonly values: unknown[] }
  | { readonly ok: false; readonly code: CallFailureCode; readonly message: string }

/** One call as the VM runs it. */
export interface VmCall extends CallInput {
  readonly kind: CallKind
  readonly phase: Phase
  readonly allowance: Allowance
  /** Number under which the host knows the call. */
  readonly claim: number
}

/** Hears when Lua runs: from a start or a resumption to the end or the next suspension. */
export interface Slices {
  started(claim: number, deadlineMs: number): void
  ended(): void
  /** True when the running call is to end because others need the executor. */
  isEvicted(): boolean
  /** Called every some thousand instructions; may block for a while. */
  pace(): void
}

const debugEventCount = 8
const debugEventLine = 4
const errorTextBytesMax = 2048

/**
 * One Lua VM of one generation: runs one call at a time, in a coroutine, so that a host function may suspend it.
 *
 *   idle ─▶ running ─▶ idle
 *              │ ▲
 *              ▼ │
 *          suspended            any state ─▶ dead (killed, out of memory, or broken)
 */
export class Vm<Services> {
  readonly #world: VmWorld<Services>
  readonly #context: CallContext<Services>
  readonly #budget: Budget
  readonly #slices: Slices
  #thread: Pointer = 0
  #threadRef = 0
  #input: VmCall | undefined
  #values: unknown[] = []
  #pending: Promise<LuaValue | Results> | undefined
  #calls = 0
  #dead: string | undefined
  #coverage: Pick<WorldOptions<Services>, 'coverage' | 'covered'> = {}

  private constructor(
    world: VmWorld<Services>,
    context: CallContext<Services>,
    slices: Slices,
    budget: Budget,
  ) {
    this.#world = world
    this.#context = context
    this.#slices = slices
    this.#budget = budget
  }

  /** Builds a VM with its libraries and modules; no plugin code has run in it yet. */
  static async create<Services>(options: WorldOptions<Services>, slices: Slices): Promise<Vm<Services>> {
    const context = new CallContext<Services>(
      options.owner,
      options.settings,
      options.services,
      options.signals,
    )
    let vm: Vm<Services> | undefined
    const use = (): Vm<Services> => {
      if (vm === undefined) throw new Error('the VM was called before it was built')
      return vm
    }
    const world: VmWorld<Services> = await buildWorld(options, {
      call: () => context,
      enter: (state) => use().#enter(state),
      leave: (state) => use().#leave(state),
      suspend: (promise) => use().#suspend(promise),
      seed: pushSeeds,
      print: (text) => options.print(context, text),
    })
    vm = new Vm(world, context, slices, new Budget(options.softLimits, () => slices.isEvicted()))
    vm.#context.useBudget(vm.#budget)
    if (options.softLimits || options.coverage !== undefined) vm.#installHook(options.coverage)
    vm.#coverage = options
    return vm
  }

  /** Why this VM must not be used again; undefined while it is healthy. */
  get dead(): string | undefined {
    return this.#dead
  }

  /** What the plugin has registered at module scope. */
  get registrations(): readonly Registration[] {
    return this.#context.registrations
  }

  /** Ends the time in which plugin code may create lasting globals. */
  seal(): void {
    this.#world.seal()
  }

  /**
   * Runs a call to its end, or until a host function suspends it.
   *
   * @param done Called exactly once, before or after `run` returns.
   */
  run(call: VmCall, done: (result: VmResult) => void): void {
    this.#input = call
    this.#values = []
    this.#calls += 1
    this.#budget.start(call.allowance)
    this.#context.start(call.phase, call.requestId)
    let thread: Pointer
    try {
      thread = this.#prepareThread()
    } catch (thrown) {
      done(this.#end(this.#broken(thrown)))
      return
    }
    this.#resume(thread, 0, done)
  }

  #prepareThread(): Pointer {
    const { lua, state, runRef } = this.#world
    if (this.#thread === 0) {
      this.#thread = lua.raw.lua_newthread(state)
      this.#threadRef = lua.ref(state)
    }
    lua.pushRef(this.#thread, runRef)
    return this.#thread
  }

  #resume(thread: Pointer, argumentCount: number, done: (result: VmResult) => void): void {
    const { lua, state } = this.#world
    let status: number
    this.#slices.started(this.#input?.claim ?? 0, this.#budget.deadlineMs)
    try {
      status = lua.raw.lua_resume(thread, state, argumentCount, lua.scratch)
    } catch (thrown) {
      done(this.#end(this.#broken(thrown)))
      return
    } finally {
      this.#slices.ended()
    }
    if (status === luaStatus.yield) this.#wait(thread, done)
    else done(this.#end(this.#finish(thread, status)))
  }

  /** Waits for the promise of an async host function, but never longer than the call's time. */
  #wait(thread: Pointer, done: (result: VmResult) => void): void {
    const promise = this.#pending
    this.#pending = undefined
    if (promise === undefined) {
      done(this.#end(this.#broken(new Error('Lua yielded without a host function to wait for'))))
      return
    }
    let settled = false
    const once = (act: () => void): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      act()
    }
    const timer = setTimeout(
      () => once(() => done(this.#end(this.#broken(new Kill('TIMEOUT', 'ran out of time while waiting'))))),
      Math.max(0, this.#budget.deadlineMs - performance.now()),
    )
    promise.then(
      (value) => once(() => this.#continue(thread, value, undefined, done)),
      (error: unknown) => once(() => this.#continue(thread, undefined, error, done)),
    )
  }

  #continue(
    thread: Pointer,
    value: LuaValue | Results,
    error: unknown,
    done: (result: VmResult) => void,
  ): void {
    try {
      this.#resume(thread, this.#pushOutcome(thread, value, error), done)
    } catch (thrown) {
      done(this.#end(this.#broken(thrown)))
    }
  }

  /** Pushes `true` and the results, or `false` and a message, which the prelude raises; gives how many values. */
  #pushOutcome(thread: Pointer, value: LuaValue | Results, error: unknown): number {
    const { lua, site } = this.#world
    const binding = { lua, writer: site.writer }
    const top = lua.raw.lua_gettop(thread)
    let failure = error
    if (failure === undefined) {
      try {
        lua.raw.lua_pushboolean(thread, 1)
        return 1 + pushResult(binding, thread, value)
      } catch (thrown) {
        if (!(thrown instanceof LuaRaise || thrown instanceof LuaMemoryError)) throw thrown
        lua.raw.lua_settop(thread, top)
        failure = thrown
      }
    }
    if (!(failure instanceof LuaMemoryError)) this.#context.noteFailure(failure)
    lua.raw.lua_pushboolean(thread, 0)
    return 1 + pushResult(binding, thread, failureText(failure))
  }

  #finish(thread: Pointer, status: number): VmResult {
    const { lua } = this.#world
    if (status === luaStatus.ok) {
      lua.raw.lua_settop(thread, 0)
      return { ok: true, values: this.#values }
    }
    // A coroutine that ended in an error cannot run again; the next call gets a fresh one.
    const message = this.#errorText(thread)
    lua.raw.luaL_unref(this.#world.state, registryIndex, this.#threadRef)
    this.#thread = 0
    if (status === luaStatus.memoryError) {
      this.#dead = 'out of memory'
      return { ok: false, code: 'MEMORY', message }
    }
    return { ok: false, code: this.#context.failureCode ?? 'ERROR', message }
  }

  /** The error value of a failed coroutine as text; values that are no strings are never converted by Lua code. */
  #errorText(thread: Pointer): string {
    const { lua } = this.#world
    const type = lua.raw.lua_type(thread, -1)
    if (type === luaType.string) {
      return lua.readTextLossy(thread, -1, errorTextBytesMax).replace(hostPosition, '')
    }
    if (type === luaType.number) return String(lua.readNumber(thread, -1))
    return `(error object is a ${typeNames[type] ?? 'missing'} value)`
  }

  /** Ends the VM after something that Lua did not handle: a kill, or a fault of the module. */
  #broken(thrown: unknown): VmResult {
    if (thrown instanceof Kill) {
      this.#dead = thrown.code
      return { ok: false, code: thrown.code, message: thrown.message }
    }
    this.#dead = 'broken'
    const code = this.#world.lua.instance.refusals > 0 ? 'MEMORY' : 'ERROR'
    return { ok: false, code, message: `the VM broke: ${messageOf(thrown)}` }
  }

  #end(result: VmResult): VmResult {
    this.#context.end()
    this.#input = undefined
    const lines = this.#coverage.coverage?.take()
    if (lines !== undefined) this.#coverage.covered?.(lines)
    if (this.#world.lua.instance.refusals > 0) this.#dead ??= 'out of memory'
    if (this.#calls >= vmLimits.callsPerVmMax) this.#dead ??= 'worn out'
    return result.ok ? result : { ...result, message: this.#context.secrets.redact(result.message) }
  }

  #suspend(promise: Promise<LuaValue | Results>): void {
    promise.catch(() => undefined)
    this.#pending = promise
  }

  #enter(state: Pointer): number {
    const input = this.#input
    if (input === undefined) throw new LuaRaise('no call is in progress')
    if (this.#world.lua.raw.lua_checkstack(state, 64) === 0) throw new LuaRaise('no stack space')
    return input.kind.enter(this.#world.site, state, input)
  }

  #leave(state: Pointer): number {
    if (this.#input !== undefined) this.#values = this.#input.kind.leave(this.#world.site, state, 2)
    return 0
  }

  #installHook(coverage: LineCoverage | undefined): void {
    const { lua, state } = this.#world
    const hook = lua.instance.addFunction((running = 0, activation = 0) => {
      if (coverage?.noteLine(lua, running, activation)) return
      this.#budget.tick()
      if (lua.instance.refusals > vmLimits.memoryRefusalsMax) {
        throw new Kill('MEMORY', 'went on after running out of memory')
      }
      this.#slices.pace()
    }, 'vii')
    const events = coverage === undefined ? debugEventCount : debugEventCount | debugEventLine
    lua.raw.lua_sethook(state, hook, events, vmLimits.instructionsPerTick)
  }
}

/** Pushes two integers that no plugin can guess. */
function pushSeeds(lua: LuaApi, state: Pointer): number {
  const random = randomBytes(16)
  lua.raw.lua_pushinteger(state, random.readBigInt64LE(0))
  lua.raw.lua_pushinteger(state, random.readBigInt64LE(8))
  return 2
}
