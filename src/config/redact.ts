import type { Config } from './schema.js'

const blank = '***'
const secretName = /password|passwd|secret|token|credential|api_?key|private_?key/i

/** Switches and numbers whose name only looks secret; the names of a problem are whole dotted keys. */
const harmlessName = /(?:^|\.)cors\.credentials$/

/** The values of the headers that proxy rules add, which are tokens as a rule. */
const headerValue = /(?:^|[.\]])headers\../

const urlPassword = /(\/\/[^/?#:@\s]*:)[^/?#\s]*(?=@)/g
const urlParameter = /([?&][^=&#]*(?:password|secret|token|key)[^=&#]*=)[^&#\s]*/gi

/** Blanks passwords and tokens inside URLs, e.g. `postgres://me:***@db/app`. */
export function redactText(text: string): string {
  return text.replace(urlPassword, `$1${blank}`).replace(urlParameter, `$1${blank}`)
}

/**
 * Copies a value without secrets: those inside URLs, whole values whose name says that they are secret, and the values
 * of headers.
 *
 * @param name Name of the value, or its dotted key.
 */
export function redactValue(name: string, value: unknown): unknown {
  if (headerValue.test(name)) return blank
  if (typeof value === 'string') return isSecret(name) ? blank : redactText(value)
  if (Array.isArray(value)) return value.map((item) => redactValue(name, item))
  if (typeof value !== 'object' || value === null) return value
  const isHeaders = /(?:^|[.\]])headers$/.test(name)
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    isHeaders ? blank : redactValue(key, item),
  ])
  return Object.fromEntries(entries)
}

function isSecret(name: string): boolean {
  return secretName.test(name) && !harmlessName.test(name)
}

/** Copies a configuration for printing. */
export function redactConfig(config: Config): Config {
  return redactValue('', config) as Config
}
