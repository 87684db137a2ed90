import type { Config } from './schema.js'

const blank = '***'
const secretName = /password|passwd|secret|token|credential|api_?key|private_?key/i
const urlPassword = /(\/\/[^/?#:@\s]*:)[^/?#\s]*(?=@)/g
const urlParameter = /([?&][^=&#]*(?:password|secret|token|key)[^=&#]*=)[^&#\s]*/gi

/** Blanks passwords and tokens inside URLs, e.g. `postgres://me:***@db/app`. */
export function redactText(text: string): string {
  return text.replace(urlPassword, `$1${blank}`).replace(urlParameter, `$1${blank}`)
}

/** Copies a value without secrets: those inside URLs, and whole values whose name says that they are secret. */
export function redactValue(name: string, value: unknown): unknown {
  if (typeof value === 'string') return secretName.test(name) ? blank : redactText(value)
  if (Array.isArray(value)) return value.map((item) => redactValue(name, item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, redactValue(key, item)])
  return Object.fromEntries(entries)
}

/** Copies a configuration for printing. */
export function redactConfig(config: Config): Config {
  return redactValue('', config) as Config
}
