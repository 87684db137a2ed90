import { messageOf } from '../base/errors.js'
import { policyLimits } from '../base/limits/policies.js'
import type { PolicyContext } from './context.js'
import type { Truth } from './truth.js'

/** What a condition asks a plugin. */
export interface PredicateQuestion {
  readonly plugin: string
  /** Name of the predicate. */
  readonly name: string
  readonly context: PolicyContext
}

/**
 * Asks a predicate of a plugin. Whatever goes wrong, a predicate or plugin that there is not included, rejects; what
 * is neither true nor false counts as a failure as well.
 */
export type AskPredicate = (question: PredicateQuestion) => Promise<boolean>

/** What came of a question. */
export interface Answer {
  readonly truth: Truth
  /** Why there is no answer; empty when there is one. */
  readonly problem: string
}

interface Asked {
  readonly plugin: string
  readonly name: string
}

const unasked: Answer = { truth: 'pending', problem: '' }

/**
 * The questions to plugins that one decision has. A condition that needs an answer that is not there yet notes its
 * question and is pending; once all that were noted are answered, the decision is made anew. Each is asked once.
 */
export class Questions {
  readonly #ask: AskPredicate | undefined
  readonly #context: PolicyContext
  // Most decisions ask nobody.
  #answers: Map<string, Answer> | undefined
  #open: Map<string, Asked> | undefined
  #left: number = policyLimits.questionsMax

  constructor(ask: AskPredicate | undefined, context: PolicyContext) {
    this.#ask = ask
    this.#context = context
  }

  /** Gives the answer to a question, or notes the question. */
  answer(plugin: string, name: string): Answer {
    const key = `${plugin}\n${name}`
    const answer = this.#answers?.get(key)
    if (answer !== undefined) return answer
    this.#open ??= new Map()
    this.#open.set(key, { plugin, name })
    return unasked
  }

  /** Allows as many questions as a decision of its own has. */
  allowMore(): void {
    this.#left = policyLimits.questionsMax
  }

  /** Asks all that was noted, at the same time. */
  async askOpen(): Promise<void> {
    const open = [...(this.#open ?? [])]
    this.#open = undefined
    this.#answers ??= new Map()
    const answers = this.#answers
    await Promise.all(
      open.map(async ([key, asked]) => {
        answers.set(key, await this.#askOne(asked))
      }),
    )
  }

  async #askOne({ plugin, name }: Asked): Promise<Answer> {
    const { questionsMax, questionMs } = policyLimits
    if (this.#ask === undefined) return failed('no plugin can be asked here')
    if (this.#left === 0) return failed(`one decision asks plugins at most ${questionsMax} questions`)
    this.#left -= 1
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve(failed(`no answer within ${questionMs} ms`)), questionMs)
    })
    try {
      const answer = askSafely(this.#ask, { plugin, name, context: this.#context })
      return await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

async function askSafely(ask: AskPredicate, question: PredicateQuestion): Promise<Answer> {
  try {
    const truth: unknown = await ask(question)
    return typeof truth === 'boolean'
      ? { truth, problem: '' }
      : failed('the answer is neither true nor false')
  } catch (error) {
    return failed(messageOf(error))
  }
}

function failed(problem: string): Answer {
  return { truth: 'error', problem }
}
