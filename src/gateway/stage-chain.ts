import { stageCycle } from './errors.js'
import type { Stage } from './stage.js'

/** The stages of a pipeline in their order, ready for use. */
export interface StageChain {
  readonly stages: readonly Stage[]
  /** Those with `onRequest`, in the order of the chain. */
  readonly request: readonly Stage[]
  /** Those with `onAnswer`, in the reverse order. */
  readonly answer: readonly Stage[]
  /** Those with `onFinish`, in the order of the chain. */
  readonly finish: readonly Stage[]
}

/** Other places of stages than their own, by name. */
export type StagePlaces = Readonly<Record<string, number>>

/** The place of a stage: its own, unless an operator gives it another. */
export function placeOf({ name, priority }: Stage, places: StagePlaces): number {
  return Object.hasOwn(places, name) ? (places[name] ?? priority) : priority
}

/**
 * Orders stages: of those whose `after` and `before` are satisfied, the one with the lowest priority comes next; of
 * equal ones the one that was given first.
 *
 * @param places None when missing.
 * @throws `GATEWAY_STAGE_CYCLE` when the constraints contradict each other.
 */
export function orderStages(given: readonly Stage[], places: StagePlaces = {}): StageChain {
  const stages: Stage[] = []
  const waiting = new Set(given)
  while (waiting.size > 0) {
    let next: Stage | undefined
    for (const stage of waiting) {
      if (isBlocked(stage, waiting)) continue
      if (next === undefined || placeOf(stage, places) < placeOf(next, places)) next = stage
    }
    if (next === undefined) throw stageCycle({ stages: [...waiting].map(({ name }) => name).join(', ') })
    waiting.delete(next)
    stages.push(next)
  }
  return {
    stages,
    request: stages.filter(({ onRequest }) => onRequest !== undefined),
    answer: stages.filter(({ onAnswer }) => onAnswer !== undefined).reverse(),
    finish: stages.filter(({ onFinish }) => onFinish !== undefined),
  }
}

function isBlocked(stage: Stage, waiting: ReadonlySet<Stage>): boolean {
  for (const other of waiting) {
    if (other === stage) continue
    if (stage.after?.includes(other.name) || other.before?.includes(stage.name)) return true
  }
  return false
}
