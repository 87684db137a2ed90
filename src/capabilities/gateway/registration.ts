import { stageLimits } from '../../base/limits/gateway.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { readOptions } from '../kv/options.js'
import {
  checkStageName,
  checkStagePath,
  everyPath,
  keyRegistration,
  type StageDeclaration,
  type StageEvent,
  stageApprovalKey,
  stageDefaults,
  stageMethods,
  stageRegistration,
} from './stage-rules.js'

/** Names of the options of a stage. */
const optionNames = ['priority', 'paths', 'methods', 'fail', 'timeout_ms', 'name'] as const

/**
 * Registers a stage.
 *
 * @throws LuaRaise for options that mean nothing: a stage that guards must not be weaker than its author thinks.
 */
export function registerStage(
  call: Call,
  event: StageEvent,
  handler: LuaValue,
  options: LuaValue,
): undefined {
  guarded(event, () => {
    assertRoom(call)
    const given = readOptions(options, optionNames)
    const defaults = stageDefaults(event)
    const timeoutMs = readInteger('timeout_ms', given.timeout_ms, 1, stageLimits.timeoutMsMax)
    const stage: StageDeclaration = {
      name: readName(call, event, given.name),
      event,
      paths: readTexts('paths', given.paths, checkStagePath) ?? everyPath,
      methods: readMethods(given.methods),
      priority:
        readInteger('priority', given.priority, stageLimits.priorityMin, stageLimits.priorityMax) ??
        defaults.priority,
      fail: readFail(given.fail) ?? defaults.fail,
      ...(timeoutMs !== undefined && { timeoutMs }),
    }
    assertKey(stage)
    const { name, ...data } = stage
    call.register({ kind: stageRegistration, key: name, data }, functionOf(handler))
  })
}

/** Registers a function for keys of rate limits. */
export function registerKey(call: Call, name: LuaValue, handler: LuaValue): undefined {
  guarded('key_by', () => {
    assertRoom(call)
    const text = readText('name', name)
    assertFree(call, keyRegistration, text)
    call.register({ kind: keyRegistration, key: text, data: {} }, functionOf(handler))
  })
}

function guarded(name: string, register: () => void): void {
  try {
    register()
  } catch (error) {
    if (error instanceof LuaRaise) throw new LuaRaise(`gateway.${name}: ${error.message}`)
    throw error
  }
}

function assertRoom({ registrations }: Call): void {
  const { registrationsMax } = stageLimits
  const count = registrations.filter(
    ({ kind }) => kind === stageRegistration || kind === keyRegistration,
  ).length
  if (count < registrationsMax) return
  throw new LuaRaise(`maximum stage limit reached: a plugin may have ${registrationsMax}; merge some`)
}

function assertFree({ registrations }: Call, kind: string, name: string): void {
  const fault = checkStageName(name)
  if (fault !== undefined) throw new LuaRaise(fault)
  if (!registrations.some((other) => other.kind === kind && other.key === name)) return
  throw new LuaRaise(`the name ${JSON.stringify(name)} is taken: give each its own`)
}

function readName(call: Call, event: StageEvent, given: LuaValue): string {
  const count = call.registrations.filter(({ kind }) => kind === stageRegistration).length
  const name = given === undefined ? `${event === 'on_request' ? 'request' : 'response'}-${count + 1}` : given
  const text = readText('name', name)
  assertFree(call, stageRegistration, text)
  return text
}

function readText(name: string, value: LuaValue): string {
  if (typeof value === 'string') return value
  throw new LuaRaise(`the ${name} must be UTF-8 text`)
}

function readTexts(
  name: string,
  value: LuaValue,
  check: (text: string) => string | undefined,
): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0) {
    throw new LuaRaise(`${name} must be a list of texts with at least one; leave it out for all`)
  }
  if (value.length > stageLimits.pathsMax) {
    throw new LuaRaise(`${name} has ${value.length} members; the limit is ${stageLimits.pathsMax}`)
  }
  const texts = value.map((each) => readText(`member of ${name}`, each))
  for (const text of texts) {
    const fault = check(text)
    if (fault !== undefined) throw new LuaRaise(fault)
  }
  return [...new Set(texts)]
}

function readMethods(value: LuaValue): readonly string[] {
  const names: readonly string[] = stageMethods
  const given = readTexts('methods', value, (method) =>
    names.includes(method)
      ? undefined
      : `invalid method ${JSON.stringify(method.slice(0, 32))}: use ${names.join(', ')}`,
  )
  // One order, so that the same methods are approved under the same key.
  return given === undefined ? [] : names.filter((method) => given.includes(method))
}

function readInteger(name: string, value: LuaValue, min: number, max: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new LuaRaise(`${name} must be an integer from ${min} to ${max}`)
}

function readFail(value: LuaValue): StageDeclaration['fail'] | undefined {
  if (value === undefined || value === 'closed' || value === 'open') return value
  throw new LuaRaise('fail must be "closed" or "open"')
}

function assertKey(stage: StageDeclaration): void {
  const { length } = stageApprovalKey(stage)
  if (length <= stageLimits.keyCharactersMax) return
  throw new LuaRaise(
    `its methods and paths have ${length} characters together; the limit is ${stageLimits.keyCharactersMax}: ` +
      'use patterns, or several stages',
  )
}

function functionOf(value: LuaValue): number {
  if (value instanceof FunctionRef) return value.ref
  throw new LuaRaise('a function is expected')
}
