import { messageOf } from '../../base/errors.js'
import { stageLimits } from '../../base/limits/gateway.js'
import { compilePath, isRegexEntry } from '../../gateway/path-pattern.js'
import { isAmbiguousTarget } from '../../gateway/request-path.js'
import { stagePriorities } from '../../gateway/stage.js'
import type { Registration } from '../../sandbox/host-function.js'

/** Kind of the registrations of stages. */
export const stageRegistration = 'stage'

/** Kind of the registrations of functions that give keys of rate limits. */
export const keyRegistration = 'gateway_key'

/** Which way a stage looks: at requests on their way in, or at answers on their way out. */
export const stageEvents = ['on_request', 'on_response'] as const

export type StageEvent = (typeof stageEvents)[number]

/** What becomes of a request whose stage cannot be run: `closed` answers 503, `open` goes on without the stage. */
export type StageFail = 'closed' | 'open'

/** Methods that a stage can be confined to, in the order in which keys name them. */
export const stageMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A stage as a plugin registered it. */
export interface StageDeclaration {
  /** Unique among the stages of the plugin. */
  readonly name: string
  readonly event: StageEvent
  readonly paths: readonly string[]
  /** Empty for every method. */
  readonly methods: readonly string[]
  readonly priority: number
  readonly fail: StageFail
  /** Time of one call; the configuration says it when missing. */
  readonly timeoutMs?: number
}

/** The paths of a stage that names none. */
export const everyPath: readonly string[] = ['/**']

/** Fills in what a stage does not say of itself. */
export function stageDefaults(event: StageEvent): Pick<StageDeclaration, 'priority' | 'fail'> {
  return {
    priority: stagePriorities.plugin,
    fail: event === 'on_request' ? 'closed' : 'open',
  }
}

/** What an approval of stages holds for. */
export type StageScope = Pick<StageDeclaration, 'event' | 'methods' | 'paths' | 'fail'>

/**
 * Names what an approval of stages holds for: all stages of a plugin for the same methods and paths that fail alike, so
 * that a guard that comes to fail open asks again. What is the default of its event is left out.
 */
export function stageApprovalKey({ event, methods, paths, fail }: StageScope): string {
  const place = `${event} ${methods.length === 0 ? '*' : methods.join(',')} ${paths.join(',')}`
  return fail === stageDefaults(event).fail ? place : `${place} fail=${fail}`
}

/** Reads the key of an approval of stages; undefined for another one, such as that of a function for keys. */
export function parseStageKey(key: string): StageScope | undefined {
  const [name, methods = '', paths = '', failure] = key.split(' ')
  const event = stageEvents.find((each) => each === name)
  if (event === undefined || paths === '') return undefined
  const { fail } = stageDefaults(event)
  return {
    event,
    methods: methods === '*' ? [] : methods.split(','),
    paths: paths.split(','),
    fail: failure === undefined ? fail : failure === 'fail=open' ? 'open' : 'closed',
  }
}

/** Names what an approval of a function for keys holds for. */
export function keyApprovalKey(name: string): string {
  return `key_by ${name}`
}

const namePattern = /^[a-z][a-z0-9_-]*$/

/** Says what is wrong with the name of a stage or of a function for keys; undefined when nothing is. */
export function checkStageName(name: string): string | undefined {
  if (name.length <= stageLimits.nameCharactersMax && namePattern.test(name)) return undefined
  return (
    `invalid name ${JSON.stringify(name.slice(0, 64))}: use a lower-case letter, then lower-case letters, digits, ` +
    `"_" and "-", at most ${stageLimits.nameCharactersMax}`
  )
}

/**
 * Control characters could forge lines of a log; those that are not seen, that look like a space or that turn the order of
 * others around would have an admin approve other paths than the ones that are shown.
 */
const refusedCharacter = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point},#]/u

/** Says what is wrong with a path pattern; undefined when nothing is. */
export function checkStagePath(path: string): string | undefined {
  const reason = pathFault(path)
  if (reason === undefined) return undefined
  return `invalid path pattern ${JSON.stringify(path.slice(0, stageLimits.pathCharactersMax))}: ${reason}`
}

function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'it must start with "/"'
  if (path.length > stageLimits.pathCharactersMax) {
    return `it has ${path.length} characters; the limit is ${stageLimits.pathCharactersMax}`
  }
  const segments = path.split('/').length - 1
  if (segments > stageLimits.pathSegmentsMax) {
    return `it has ${segments} segments; the limit is ${stageLimits.pathSegmentsMax}`
  }
  if (refusedCharacter.test(path)) {
    return 'it must not have spaces, control characters, characters that are not seen, "," or "#"'
  }
  // No request has such a path, so a stage that guards it would guard nothing.
  if (isAmbiguousTarget(path)) return 'it must have no dot segments and no backslashes'
  // A regular expression of a plugin could hold up every request of the host.
  if (isRegexEntry(path)) return 'use "*" and "**" only; regular expressions are for operators'
  try {
    compilePath(path)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Picks the stages out of what a plugin registered, in the order of registration. */
export function stagesOf(registrations: readonly Registration[]): readonly StageDeclaration[] {
  return registrations
    .filter(({ kind }) => kind === stageRegistration)
    .map(({ key, data }) => ({ ...(data as unknown as Omit<StageDeclaration, 'name'>), name: key }))
}

/** Picks the names of the functions for keys out of what a plugin registered. */
export function keyFunctionsOf(registrations: readonly Registration[]): readonly string[] {
  return registrations.filter(({ kind }) => kind === keyRegistration).map(({ key }) => key)
}
