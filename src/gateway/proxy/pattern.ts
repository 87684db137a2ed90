import { createContext, Script } from 'node:vm'
import { proxyLimits } from '../../base/limits/gateway.js'
import { patternInvalid } from './errors.js'

/** Looks for a pattern in a path: its groups, null when it is not there, or `late` when that takes too long. */
export type Pattern = (path: string) => readonly (string | undefined)[] | null | 'late'

/**
 * Compiles a pattern that somebody else's paths are tested on. Repetitions inside of open repetitions and
 * backreferences are refused, as their time can grow exponentially. What can still take long, such as several open
 * repetitions or many choices in a row, runs under a time limit. All others take a time that grows at most with the
 * square of the length, which is bounded.
 *
 * @throws `PROXY_PATTERN_INVALID` with the reason.
 */
export function compilePattern(source: string): Pattern {
  const max = proxyLimits.patternLengthMax
  if (source.length > max) {
    throw patternInvalid({ reason: `it has ${source.length} characters, the limit is ${max}` })
  }
  const expression = parse(source)
  const run = canTakeLong(source) ? underLimit(expression) : (path: string) => expression.exec(path)
  return (path) => (path.length > proxyLimits.pathLengthMax ? null : run(path))
}

function parse(source: string): RegExp {
  try {
    return new RegExp(source)
  } catch (error) {
    throw patternInvalid({ reason: (error as Error).message })
  }
}

interface Group {
  /** What was counted in front of it. */
  readonly openBefore: number
  readonly hasChoice: boolean
}

const openRepetition = /^(?:[*+]|\{\d+,\})/
const repetition = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/
const openMax = 1
const choicesMax = 5

/** Looks for what makes a pattern slow; throws for what has no place in one. */
function canTakeLong(source: string): boolean {
  const groups: Group[] = []
  let open = 0
  let choices = 0
  let hasCounts = false
  let closed: { readonly repeats: boolean; readonly hasChoice: boolean } | undefined
  let hasChoice = false
  let at = 0
  while (at < source.length) {
    const rest = source.slice(at)
    const char = rest[0]
    const found = repetition.exec(rest)?.[0]
    if (found !== undefined) {
      if (openRepetition.test(found)) {
        if (closed?.repeats || closed?.hasChoice) throw nested(at)
        open += 1
      }
      hasCounts ||= found.startsWith('{')
      hasChoice = true
      choices += 1
      closed = undefined
      at += found.length
      continue
    }
    closed = undefined
    if (char === '\\') {
      if (/^\\(?:[1-9]|k<)/.test(rest)) throw patternInvalid({ reason: `a backreference at character ${at}` })
      at += 2
    } else if (char === '[') at += classLength(rest)
    else {
      if (char === '(') {
        groups.push({ openBefore: open, hasChoice })
        hasChoice = false
      } else if (char === '|') {
        hasChoice = true
        choices += 1
      } else if (char === ')') {
        const group = groups.pop()
        closed = { repeats: open > (group?.openBefore ?? 0), hasChoice }
        hasChoice = hasChoice || (group?.hasChoice ?? false)
      }
      at += char === '(' ? groupStartLength(rest) : 1
    }
  }
  return hasCounts || open > openMax || choices > choicesMax
}

function nested(at: number): Error {
  return patternInvalid({
    reason: `the repetition at character ${at} repeats a group that repeats or chooses by itself, which can take forever; take one of them out`,
  })
}

function classLength(rest: string): number {
  let at = 1
  while (at < rest.length && rest[at] !== ']') at += rest[at] === '\\' ? 2 : 1
  return at + 1
}

function groupStartLength(rest: string): number {
  return /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(rest)?.[0].length ?? 1
}

function underLimit(expression: RegExp): Pattern {
  const context = createContext(Object.create(null) as object) as {
    expression?: RegExp
    path?: string
  }
  context.expression = expression
  const script = new Script('expression.exec(path)')
  return (path) => {
    context.path = path
    try {
      return script.runInContext(context, { timeout: proxyLimits.patternMs }) as RegExpExecArray | null
    } catch {
      return 'late'
    }
  }
}
