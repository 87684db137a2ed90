import { kvWhereLimits } from '../../base/limits/kv.js'
import { isMembers, type KvValue } from '../value.js'

/** One step into a value: the name of a member, or a position in an array. */
export type PathPart = string | number

/** What a path is, or why it is none. */
export type ParsedPath = { readonly parts: readonly PathPart[] } | { readonly problem: string }

/**
 * Reads a path such as `author.name`, `items[0].price` or `meta["a.b"][2]`. The empty path is the value itself.
 * Between dots stand names of members, with any characters but `.`, `[` and `]`; in brackets stand positions of arrays,
 * or any name as a JSON string.
 */
export function parsePath(text: string): ParsedPath {
  const { pathCharactersMax, pathPartsMax } = kvWhereLimits
  if (text.length > pathCharactersMax) {
    return { problem: `the path has ${text.length} characters, and ${pathCharactersMax} are allowed` }
  }
  const parts: PathPart[] = []
  let at = 0
  while (at < text.length) {
    const step = text[at] === '[' ? readBracket(text, at) : readName(text, at, parts.length === 0)
    if (step === undefined) {
      return {
        problem: `the path goes wrong at its character ${at + 1}. Paths look like a.b, a[0].b or a["any name"].b`,
      }
    }
    parts.push(step.part)
    at = step.end
  }
  if (parts.length > pathPartsMax) {
    return { problem: `the path has ${parts.length} parts, and ${pathPartsMax} are allowed` }
  }
  return { parts }
}

/**
 * Follows a path into a value. Only members of the data itself count, never what objects inherit.
 *
 * @returns Null where the path leads nowhere: a missing member is as good as null.
 */
export function readPath(value: KvValue, parts: readonly PathPart[]): KvValue {
  let current = value
  for (const part of parts) {
    if (typeof part === 'number') current = Array.isArray(current) ? (current[part] ?? null) : null
    else current = isMembers(current) && Object.hasOwn(current, part) ? (current[part] ?? null) : null
    if (current === null) return null
  }
  return current
}

interface Step {
  readonly part: PathPart
  readonly end: number
}

/** Reads a name, and the dot before it where it is not the first part. */
function readName(text: string, start: number, isFirst: boolean): Step | undefined {
  const from = isFirst ? start : start + 1
  if (!isFirst && text[start] !== '.') return undefined
  let end = from
  while (end < text.length && !'.[]'.includes(text[end] as string)) end += 1
  return end === from ? undefined : { part: text.slice(from, end), end }
}

/** Reads `[0]` or `["name"]`. */
function readBracket(text: string, start: number): Step | undefined {
  if (text[start + 1] === '"') return readQuoted(text, start + 1)
  const close = text.indexOf(']', start)
  const digits = text.slice(start + 1, Math.max(close, 0))
  if (!/^\d{1,9}$/.test(digits)) return undefined
  return { part: Number(digits), end: close + 1 }
}

function readQuoted(text: string, start: number): Step | undefined {
  let end = start + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  if (text[end + 1] !== ']') return undefined
  try {
    return { part: JSON.parse(text.slice(start, end + 1)) as string, end: end + 2 }
  } catch {
    return undefined
  }
}
