import { defineError, type HostError } from '../base/errors.js'
import { nearestName } from '../base/nearest-name.js'
import { redactText, redactValue } from './redact.js'

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Dotted key, or the name that was given in place of one. */
  readonly key: string
  /** What was given, as JSON with secrets blanked; absent when there is no value to show. */
  readonly value?: string
  /** What has to be different, as the end of a sentence. */
  readonly rule: string
  /** Where the value came from, e.g. `config.json line 4`. */
  readonly origin: string
}

/** Raised once for everything that is wrong; `details.problems` holds the `ConfigProblem` list. */
export const configInvalid = defineError(
  'CONFIG_INVALID',
  500,
  'The configuration has {count}:\n{problems}\nEvery key is described in docs/reference/configuration.md.',
)

/** Makes the one error for a list of problems. */
export function toConfigError(problems: readonly ConfigProblem[]): HostError {
  const lines = problems.map(({ key, value, rule, origin }) => {
    const given = value === undefined ? key : `${key} = ${value}`
    return `  ${given} (${origin}): ${rule}`
  })
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return configInvalid({ count, problems: lines.join('\n') }, { details: { problems } })
}

/** Shows a value in a problem: as JSON, on one line, without secrets and not long. */
export function showValue(key: string, value: unknown): string {
  const shown = typeof value === 'string' ? redactText(value) : value
  const text = JSON.stringify(redactValue(key, shown)) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** Finds the name that a misspelt one most likely meant; undefined when none is near. */
export function nearestSetting(given: string, known: readonly string[]): string | undefined {
  const last = given.toLowerCase().replace(/^modulacms__/, '')
  return known.find((name) => endsWithPart(name.toLowerCase(), last)) ?? nearestName(given, known)
}

/** Tells whether a name has the given last level: `port` of `server.port` and of `MODULACMS__SERVER__PORT`. */
function endsWithPart(name: string, last: string): boolean {
  return name.endsWith(`.${last}`) || name.endsWith(`__${last}`)
}
