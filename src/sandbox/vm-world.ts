import { vmLimits } from '../base/limits/sandbox.js'
import type { CallContext, VmSignals } from './call-context.js'
import type { CallSite } from './call-kind.js'
import type { PluginSource } from './generation.js'
import { bindFunction } from './host-binding.js'
import type { HostModule, VmOwner } from './host-function.js'
import type { CoveredLines, LineCoverage } from './line-coverage.js'
import { LuaApi, luaStatus } from './lua-api.js'
import { LuaRaise, type LuaValue, type Results } from './lua-value.js'
import type { LuaInstances, Pointer } from './lua-wasm.js'
import { OperationTable } from './operation-table.js'
import { libraryNames, type PreludeFiles } from './prelude-files.js'
import type { GenerationSettings } from './settings.js'
import { TagTable } from './tags.js'
import { ValueReader } from './value-reader.js'
import { ValueWriter } from './value-writer.js'

export interface WorldOptions<Services> {
  readonly instances: LuaInstances
  readonly prelude: PreludeFiles
  readonly owner: VmOwner
  readonly source: PluginSource
  readonly settings: GenerationSettings
  readonly modules: readonly HostModule<Services>[]
  readonly services: Services
  readonly signals: VmSignals
  /** What `print` does. */
  print(context: CallContext<Services>, text: string): void
  /** False only where the hard stop alone is put to the test: no instruction hook is installed then. */
  readonly softLimits: boolean
  /** Counts the lines of the plugin as they run; undefined where nobody asks for that. */
  readonly coverage?: LineCoverage | undefined
  /** Hears after each call which lines ran, where they are counted. */
  readonly covered?: (lines: CoveredLines) => void
}

/** What the prelude asks of the VM around it. */
export interface WorldHooks<Services> {
  call(): CallContext<Services>
  enter(state: Pointer): number
  leave(state: Pointer): number
  suspend(promise: Promise<LuaValue | Results>): void
  seed(lua: LuaApi, state: Pointer): number
  print(text: string): void
}

/** A built Lua state: libraries, frozen modules and the plugin's environment. */
export interface VmWorld<Services> {
  readonly lua: LuaApi
  readonly state: Pointer
  /** Reference of the prelude's `run`. */
  readonly runRef: number
  readonly site: CallSite
  readonly context: () => CallContext<Services>
  seal(): void
}

/** Builds the Lua state of one VM. */
export async function buildWorld<Services>(
  options: WorldOptions<Services>,
  hooks: WorldHooks<Services>,
): Promise<VmWorld<Services>> {
  const instance = await options.instances.create(options.settings.memoryBytesMax)
  const builder = new WorldBuilder(options, hooks, new LuaApi(instance))
  return builder.build()
}

/** Steps of building a world; each leaves the Lua stack as it found it. */
class WorldBuilder<Services> {
  readonly #options: WorldOptions<Services>
  readonly #hooks: WorldHooks<Services>
  readonly #lua: LuaApi
  readonly #state: Pointer
  readonly #tags: TagTable
  readonly #reader: ValueReader
  readonly #writer: ValueWriter
  readonly #operations: OperationTable
  #core = 0
  #environmentRef = 0

  constructor(options: WorldOptions<Services>, hooks: WorldHooks<Services>, lua: LuaApi) {
    this.#options = options
    this.#hooks = hooks
    this.#lua = lua
    this.#state = lua.raw.luaL_newstate()
    if (this.#state === 0) throw new Error('the memory cap is too small for a Lua state')
    lua.raw.luaL_openlibs(this.#state)
    this.#tags = new TagTable(lua)
    this.#reader = new ValueReader(lua, this.#tags)
    this.#writer = new ValueWriter(lua, this.#tags)
    this.#operations = new OperationTable(lua, (error) => hooks.call().noteFailure(error))
  }

  build(): VmWorld<Services> {
    const internal = {
      enter: this.#operations.add((state) => this.#hooks.enter(state)),
      leave: this.#operations.add((state) => this.#hooks.leave(state)),
      print: this.#operations.add((state) => this.#print(state)),
      seed: this.#operations.add((state) => this.#hooks.seed(this.#lua, state)),
      load_module: this.#operations.add((state) => this.#loadModule(state)),
      tag_metatable: this.#operations.add((state) => this.#pushTagMetatable(state)),
    }
    this.#runCore(internal)
    this.#environmentRef = this.#member('environment')
    for (const module of this.#options.modules) this.#install(module)
    const runRef = this.#member('run')
    const hiddenRef = this.#member('hidden')
    const chainRef = this.#member('chain')
    const sealRef = this.#member('seal')
    const lua = this.#lua
    return {
      lua,
      state: this.#state,
      runRef,
      site: this.#site(chainRef, hiddenRef),
      context: this.#hooks.call,
      seal: () => {
        lua.pushRef(this.#state, sealRef)
        this.#callProtected(0, 0)
      },
    }
  }

  /** Runs core.lua with the functions that build the libraries; its result stays in the registry. */
  #runCore(internal: Readonly<Record<string, number>>): void {
    const { settings } = this.#options
    this.#pushPrelude('core')
    this.#operations.pushHost(this.#state)
    this.#writer.push(this.#state, internal)
    this.#lua.raw.lua_createtable(this.#state, 0, 8)
    for (const name of libraryNames) {
      this.#lua.pushText(this.#state, name)
      this.#pushPrelude(name)
      this.#callProtected(0, 1)
      this.#lua.raw.lua_rawset(this.#state, -3)
    }
    this.#writer.push(this.#state, {
      stringBytesMax: Math.min(vmLimits.stringBytesMax, settings.memoryBytesMax),
      tableElementsMax: vmLimits.tableElementsMax,
      patternStepsMax: vmLimits.patternStepsMax,
    })
    this.#callProtected(4, 1)
    this.#core = this.#lua.ref(this.#state)
  }

  #pushPrelude(name: string): void {
    const text = this.#options.prelude.get(name)
    if (text === undefined) throw new Error(`the prelude has no file ${name}.lua`)
    if (this.#lua.load(this.#state, text, 'host') !== luaStatus.ok) throw this.#hostFault()
  }

  #callProtected(argumentCount: number, results: number): void {
    const status = this.#lua.raw.lua_pcallk(this.#state, argumentCount, results, 0, 0, 0)
    if (status !== luaStatus.ok) throw this.#hostFault()
  }

  #hostFault(): Error {
    return new Error(`the prelude failed: ${String(this.#lua.readString(this.#state, -1))}`)
  }

  /** Takes a member of core.lua's result into the registry. */
  #member(name: string): number {
    this.#lua.pushRef(this.#state, this.#core)
    this.#lua.pushText(this.#state, name)
    this.#lua.raw.lua_rawget(this.#state, -2)
    const ref = this.#lua.ref(this.#state)
    this.#lua.pop(this.#state, 1)
    return ref
  }

  #install(module: HostModule<Services>): void {
    const binding = {
      lua: this.#lua,
      reader: this.#reader,
      writer: this.#writer,
      get call(): CallContext<Services> {
        return hooks.call()
      },
      suspend: this.#hooks.suspend,
    }
    const hooks = this.#hooks
    const functions = module.functions.map((fn) => ({
      name: fn.name,
      operation: this.#operations.add(bindFunction(binding, module.name, fn)),
      async: fn.mode === 'async',
    }))
    this.#lua.pushRef(this.#state, this.#member('install'))
    this.#lua.pushText(this.#state, module.name)
    this.#writer.push(this.#state, functions)
    this.#writer.push(this.#state, { ...module.constants })
    if (module.lua === undefined) this.#lua.raw.lua_pushnil(this.#state)
    else if (this.#lua.load(this.#state, module.lua, 'host') !== luaStatus.ok) throw this.#hostFault()
    else this.#callProtected(0, 1)
    this.#lua.raw.lua_pushboolean(this.#state, module.isHidden === true ? 1 : 0)
    this.#callProtected(5, 0)
  }

  #print(state: Pointer): number {
    this.#hooks.print(this.#lua.readTextLossy(state, 2, vmLimits.printBytesMax))
    return 0
  }

  #pushTagMetatable(state: Pointer): number {
    this.#tags.pushMetatable(state, String(this.#lua.readString(state, 2)))
    return 1
  }

  #loadModule(state: Pointer): number {
    const name = String(this.#lua.readString(state, 2))
    const file = `lib/${name}.lua`
    if (!this.#options.source.files.has(file)) {
      throw new LuaRaise(`module '${name}' not found: the plugin has no ${file}`)
    }
    this.#pushChunk(state, file)
    return 1
  }

  #pushChunk(state: Pointer, file: string): void {
    const text = this.#options.source.files.get(file)
    if (text === undefined) throw new LuaRaise(`the plugin has no ${file}`)
    const name = `${this.#options.owner.plugin}/${file}`
    if (this.#lua.load(state, text, name) !== luaStatus.ok) {
      throw new LuaRaise(String(this.#lua.readString(state, -1)))
    }
    this.#lua.pushRef(state, this.#environmentRef)
    this.#lua.raw.lua_setupvalue(state, -2, 1)
  }

  #site(chainRef: number, hiddenRef: number): CallSite {
    const lua = this.#lua
    const call = this.#hooks.call
    return {
      lua,
      tags: this.#tags,
      reader: this.#reader,
      writer: this.#writer,
      limits: this.#options.settings,
      secrets: call().secrets,
      handlerOf: (kind, key) => call().handlerOf(kind, key),
      handlersOf: (kind) => call().handlersOf(kind),
      report: (kind, data) => call().report(kind, data),
      pushChain: (state) => lua.pushRef(state, chainRef),
      pushGlobal: (state, name) => {
        lua.pushRef(state, this.#environmentRef)
        lua.pushText(state, name)
        lua.raw.lua_rawget(state, -2)
        lua.raw.lua_rotate(state, -2, -1)
        lua.pop(state, 1)
      },
      pushHidden: (state, module, name) => {
        lua.pushRef(state, hiddenRef)
        for (const key of [module, name]) {
          lua.pushText(state, key)
          lua.raw.lua_rawget(state, -2)
          lua.raw.lua_rotate(state, -2, -1)
          lua.pop(state, 1)
        }
      },
      pushChunk: (state, file) => this.#pushChunk(state, file),
    }
  }
}
