import {
  keyApprovalKey,
  keyFunctionsOf,
  type StageDeclaration,
  stageApprovalKey,
  stagesOf,
} from '../../capabilities/gateway/stage-rules.js'
import type { Registration } from '../../sandbox/host-function.js'

/** What admins decide about: a key, and what it allows. */
export interface DeclaredStage {
  readonly key: string
  readonly description: string
}

/** Lists what the stages and the functions for keys of a plugin have to be approved for, each key once. */
export function declaredStages(registrations: readonly Registration[]): readonly DeclaredStage[] {
  const declared = new Map<string, string>()
  for (const stage of stagesOf(registrations)) {
    const key = stageApprovalKey(stage)
    const before = declared.get(key)
    const said = placeOf(stage)
    declared.set(key, before === undefined ? `${powerOf(stage)}: ${said}` : `${before}; ${said}`)
  }
  for (const name of keyFunctionsOf(registrations)) {
    declared.set(keyApprovalKey(name), 'sees requests and says whom the rate limit counts them for')
  }
  return [...declared].map(([key, description]) => ({ key, description }))
}

function powerOf({ event }: StageDeclaration): string {
  return event === 'on_request'
    ? 'sees these requests of everybody, may answer them and change their headers and paths'
    : 'sees these answers to everybody and may change them'
}

function placeOf({ name, priority, fail, timeoutMs }: StageDeclaration): string {
  const time = timeoutMs === undefined ? '' : `, up to ${timeoutMs} ms`
  return `${name} at priority ${priority}, fails ${fail}${time}`
}
