import { shellLimits } from '../../base/limits/gateway.js'

const basenamePattern = /^[a-zA-Z0-9_-]+$/

/** Tells whether a text can be excluded from the shell: letters, digits, `_` and `-`, not too many. */
export function isBasename(text: string): boolean {
  return text.length <= shellLimits.basenameLengthMax && basenamePattern.test(text)
}

/** The first segment of a path that is not empty; the empty text for `/`. */
export function basenameOf(path: string): string {
  return /[^/]+/.exec(path)?.[0] ?? ''
}

/** What a list of basenames came to. */
export interface BasenameList {
  /** Each once, in the order of the list. */
  readonly basenames: readonly string[]
  /** Entries that are no basenames. */
  readonly invalid: readonly string[]
}

/** Reads basenames from texts with commas; white space around them and empty ones do not count. */
export function readBasenames(list: string | readonly string[]): BasenameList {
  const entries = (typeof list === 'string' ? [list] : list)
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
  return {
    basenames: [...new Set(entries.filter(isBasename))],
    invalid: entries.filter((text) => !isBasename(text)),
  }
}

/** Names of the cookie by which somebody excludes basenames for one browser; the first that is not empty counts. */
const cookieNames = ['gateway_shell_excludes', 'GATEWAY_SHELL_EXCLUDES'] as const

/**
 * Tells whether a browser excludes a basename by its cookie, a percent-encoded list with commas.
 *
 * @param cookies The `Cookie` header; undefined when it is absent.
 */
export function isExcludedByCookie(cookies: string | undefined, basename: string): boolean {
  if (cookies === undefined || basename === '') return false
  for (const name of cookieNames) {
    const value = readCookie(cookies, name)
    if (value) return splitCookie(value).includes(basename)
  }
  return false
}

function readCookie(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    const value = pair.slice(equals + 1).trim()
    return /^".*"$/.test(value) ? value.slice(1, -1) : value
  }
  return undefined
}

function splitCookie(value: string): readonly string[] {
  if (value.length > shellLimits.cookieLengthMax) return []
  try {
    return decodeURIComponent(value)
      .split(',', shellLimits.cookieExcludesMax)
      .map((text) => text.trim())
      .filter(isBasename)
  } catch {
    return []
  }
}
