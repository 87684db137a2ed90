import { pluginConfigLimits } from '../../base/limits/config.js'

/** Escapes that stand for one character, beside those of punctuation. */
const classEscapes = 'dDwWsStnr'
const escaped = /^\\(?:[^\p{L}\p{N}]|[dDwWsStnr])/u
const characterClass = /^\[\^?(?:[^\]\\[]|\\(?:[^\p{L}\p{N}]|[dDwWsStnr]))+\]/u
const quantifier = /^(?:[*+?]|\{(\d{1,4})(,(\d{0,4}))?\})\??/

/**
 * Finds what is wrong with a regular expression of a schema. Only those are taken of which the steps can be told
 * beforehand: characters, classes and groups, where a repetition stands behind a single character or class. A group
 * that repeats, a reference back and a look around can take for ever, and no regular expression can be interrupted.
 *
 * @returns The end of a sentence, or undefined when the pattern can be used.
 */
export function findPatternProblem(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u')
  } catch {
    return 'is not a regular expression'
  }
  const textMax = pluginConfigLimits.patternTextCharactersMax
  // Where it does not begin with "^", every place of the text is tried.
  let steps = pattern.startsWith('^') && !pattern.includes('|') ? 1 : textMax
  for (let rest = pattern; rest !== ''; ) {
    const group = /^(?:\((?:\?:)?|\)(?![*+?{])|\||\^|\$)/.exec(rest)
    if (group !== null) {
      if (group[0] === '|') steps *= 2
      rest = rest.slice(group[0].length)
      continue
    }
    const item = (escaped.exec(rest) ?? characterClass.exec(rest) ?? /^[^\\[\](){}*+?|^$]/u.exec(rest))?.[0]
    if (item === undefined) {
      return `may use characters, classes such as [a-z] and \\${classEscapes[0]}, groups that do not repeat, and repetitions of one character or class; it has ${JSON.stringify(rest.slice(0, 20))}`
    }
    rest = rest.slice(item.length)
    const found = quantifier.exec(rest)
    if (found === null) continue
    steps *= choicesOf(found, textMax)
    rest = rest.slice(found[0].length)
  }
  if (steps <= pluginConfigLimits.patternStepsMax) return undefined
  return `could need ${steps} steps for one text; the limit is ${pluginConfigLimits.patternStepsMax}: begin it with "^", and bound repetitions as in {1,32}`
}

/** In how many ways a repetition can end. */
function choicesOf([text, least, range, most]: RegExpExecArray, textMax: number): number {
  if (text.startsWith('?')) return 2
  if (least === undefined) return textMax
  if (range === undefined) return 1
  if (most === undefined || most === '') return textMax
  return Math.max(1, Number(most) - Number(least) + 1)
}
