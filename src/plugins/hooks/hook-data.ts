import { messageOf } from '../../base/errors.js'
import { hookLimits } from '../../base/limits/hooks.js'
import { hookRowInvalid, hookRowTooLarge } from './errors.js'

/**
 * Writes what a hook gets as JSON. Members of the host take the place of columns of the same name.
 *
 * @throws HostError HOOK_ROW_TOO_LARGE, HOOK_ROW_INVALID: a hook must not run out of memory, and be switched off,
 *   because of what a client has sent.
 */
export function encodeHookData(
  row: Readonly<Record<string, unknown>>,
  members: Readonly<Record<string, unknown>>,
): string {
  let json: string
  try {
    json = JSON.stringify({ ...row, ...members })
  } catch (error) {
    throw hookRowInvalid({ reason: messageOf(error).split('\n', 1)[0] ?? '' })
  }
  const bytes = Buffer.byteLength(json)
  const { rowBytesMax, rowDepthMax, rowValuesMax } = hookLimits
  if (bytes > rowBytesMax) throw hookRowTooLarge({ size: `${bytes} bytes as JSON`, limit: rowBytesMax })
  const { depth, values } = measure(json)
  if (values > rowValuesMax) throw hookRowTooLarge({ size: `${values} values`, limit: rowValuesMax })
  if (depth > rowDepthMax) throw hookRowTooLarge({ size: `${depth} levels`, limit: rowDepthMax })
  return json
}

/** Adds members to the JSON text of an object that has others already. */
export function addMembers(json: string, members: Readonly<Record<string, unknown>>): string {
  return `${json.slice(0, -1)},${JSON.stringify(members).slice(1)}`
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Counts values and levels of a JSON text without making them. */
function measure(json: string): { readonly depth: number; readonly values: number } {
  let depth = 0
  let deepest = 0
  let values = 1
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at)
    if (unit === quote) at = endOfString(json, at)
    else if (unit === comma) values += 1
    else if (unit === openBracket || unit === openBrace) {
      depth += 1
      values += 1
      if (depth > deepest) deepest = depth
    } else if (unit === closeBracket || unit === closeBrace) depth -= 1
  }
  return { depth: deepest, values }
}

/** The closing quote of a string that begins at `at`. */
function endOfString(json: string, at: number): number {
  let end = json.indexOf('"', at + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0
  while (json.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1
  return backslashes % 2 === 1
}
