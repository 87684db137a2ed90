import { redactorLimits } from './limits/config.js'

/** What stands where a secret was. */
export const redacted = '***'

/**
 * Takes secret values out of texts that people or programs get to read. Knows them as they are and as they stand inside
 * of JSON. Values that are shorter than `redactorLimits.charactersMin` are not looked for: they occur by chance.
 */
export class Redactor {
  readonly #values = new Map<string, readonly string[]>()
  #pattern: RegExp | undefined

  /** Sets the secrets of one owner, in the place of those that it had. */
  set(owner: string, secrets: Iterable<string>): void {
    const values = [...secrets].filter(({ length }) => length >= redactorLimits.charactersMin)
    if (values.length === 0 && !this.#values.has(owner)) return
    this.#values.set(owner, values)
    this.#pattern = patternOf([...this.#values.values()].flat())
  }

  /** Gives the text without the secrets: the same text when there are none in it. */
  redact(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, redacted)
  }
}

function patternOf(values: readonly string[]): RegExp | undefined {
  const forms = new Set(values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]))
  if (forms.size === 0) return undefined
  // The longest first: of two values of which one begins with the other, the rest of the longer one must not stay.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
}
