import { pluginLogLimits } from '../base/limits/plugins.js'
import { secretLimits } from '../base/limits/secrets.js'
import { FunctionRef, type LuaValue, Rows, Tagged } from '../sandbox/lua-value.js'
import type { SecretGuard } from '../sandbox/secret-guard.js'

const cutMarker = '… (cut)'

/** Name of the field that counts the context entries that were left out. */
const leftOutField = '...'

const previewDepthMax = 6

/** Cuts a text to a number of UTF-8 bytes, at a character, and marks that it did. */
export function cutText(text: string, bytesMax: number): string {
  // No character takes more than three bytes for each of its code units.
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text
  const bytes = Buffer.from(text.slice(0, bytesMax))
  let end = Math.min(bytes.length, bytesMax)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${bytes.toString('utf8', 0, end)}${cutMarker}`
}

/** Reads bytes as UTF-8; what is not UTF-8 becomes replacement characters. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/**
 * Takes secrets out of the part of a text that can be shown.
 *
 * @param charactersMax How much of the text is shown at most.
 */
export function redactedStart(secrets: Redacting, text: string, charactersMax: number): string {
  if (secrets.isIdle) return text
  // A secret that begins within what is shown must be whole to be found; in URLs each character may take nine.
  return secrets.redact(text.slice(0, charactersMax + secretLimits.charactersMax * 9))
}

type Redacting = Pick<SecretGuard, 'isIdle' | 'redact'>

/** Flattens the context of a log line to texts, without secrets; anything but a table gives no fields. */
export function contextFields(context: LuaValue, secrets: Redacting): Record<string, string> {
  // Without a prototype, so that a key like __proto__ stays a key.
  const fields: Record<string, string> = Object.create(null)
  if (!isTable(context)) return fields
  let count = 0
  let leftOut = 0
  for (const [key, value] of entriesOf(context)) {
    if (value === undefined) continue
    if (count === pluginLogLimits.contextKeysMax) {
      leftOut += 1
      continue
    }
    count += 1
    const { contextKeyCharactersMax } = pluginLogLimits
    fields[redactedStart(secrets, key, contextKeyCharactersMax).slice(0, contextKeyCharactersMax)] =
      fieldText(value, secrets)
  }
  if (leftOut > 0) fields[leftOutField] = `${leftOut} more`
  return fields
}

function fieldText(value: LuaValue, secrets: Redacting): string {
  const bytesMax = pluginLogLimits.contextValueBytesMax
  if (typeof value === 'string') return cutText(redactedStart(secrets, value, bytesMax), bytesMax)
  if (value instanceof Uint8Array) {
    return cutText(redactedStart(secrets, textOf(value.subarray(0, 2 * bytesMax + 4)), bytesMax), bytesMax)
  }
  if (!isTable(value)) return plainText(value)
  const parts: string[] = []
  preview(value, parts, { charactersLeft: bytesMax, depth: 0, secrets })
  return cutText(parts.join(''), bytesMax)
}

type Table = LuaValue[] | { [key: string]: LuaValue }

function isTable(value: LuaValue): value is Table {
  if (typeof value !== 'object' || value === null) return false
  return !(
    value instanceof Uint8Array ||
    value instanceof Tagged ||
    value instanceof FunctionRef ||
    value instanceof Rows
  )
}

function* entriesOf(table: Table): Generator<readonly [string, LuaValue]> {
  if (!Array.isArray(table)) {
    for (const key in table) yield [key, table[key]]
    return
  }
  for (const [index, value] of table.entries()) yield [String(index + 1), value]
}

function plainText(value: LuaValue): string {
  if (value instanceof Tagged) return `[${value.tag}]`
  return typeof value === 'object' && value !== null ? '[value]' : String(value)
}

interface PreviewState {
  /** The walk stops here: a huge table costs no more than what is shown of it. */
  charactersLeft: number
  depth: number
  readonly secrets: Redacting
}

/** Writes a table like JSON, as far as the characters reach. */
function preview(value: LuaValue, parts: string[], state: PreviewState): void {
  if (!isTable(value)) {
    put(
      parts,
      state,
      typeof value === 'string' || value instanceof Uint8Array ? quoted(value, state) : plainText(value),
    )
    return
  }
  const isArray = Array.isArray(value)
  if (state.depth === previewDepthMax) {
    put(parts, state, isArray ? '[…]' : '{…}')
    return
  }
  state.depth += 1
  put(parts, state, isArray ? '[' : '{')
  let isFirst = true
  for (const [key, member] of entriesOf(value)) {
    if (state.charactersLeft < 0) break
    if (!isFirst) put(parts, state, ',')
    isFirst = false
    if (!isArray) put(parts, state, `${quoted(key.slice(0, 256), state)}:`)
    preview(member, parts, state)
  }
  put(parts, state, isArray ? ']' : '}')
  state.depth -= 1
}

function quoted(value: string | Uint8Array, { charactersLeft, secrets }: PreviewState): string {
  const { contextValueBytesMax: max } = pluginLogLimits
  const text =
    typeof value === 'string' ? value : textOf(value.subarray(0, 2 * Math.max(charactersLeft, 0) + 1))
  return JSON.stringify(redactedStart(secrets, text, max).slice(0, max))
}

function put(parts: string[], state: PreviewState, text: string): void {
  parts.push(text)
  state.charactersLeft -= text.length
}
