import { kvHttpLimits } from '../../base/limits/kv.js'
import { requestInvalid } from './routes-failures.js'

/** Names the kind of a value from JSON, as messages call it. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  return Array.isArray(value) ? 'array' : typeof value
}

/**
 * Writes the beginning of a value from JSON for the reader of a message. It looks at no more of the value than it
 * shows, however large and deep it is.
 */
export function preview(value: unknown): string {
  const max = kvHttpLimits.previewCharacters
  const text = write(value, max)
  return text.length > max ? `${text.slice(0, max - 1)}…` : text
}

function write(value: unknown, room: number): string {
  if (room <= 0) return ''
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room))
  if (value === null || typeof value !== 'object') return String(value)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  let text = open ?? ''
  for (const [name, member] of membersOf(value)) {
    if (text.length > room) break
    if (text.length > 1) text += ','
    if (name !== undefined) text += `${JSON.stringify(name.slice(0, room))}:`
    text += write(member, room - text.length)
  }
  return text + close
}

function* membersOf(value: object): Iterable<readonly [name: string | undefined, member: unknown]> {
  if (Array.isArray(value)) for (const item of value) yield [undefined, item]
  else for (const name in value) yield [name, (value as Readonly<Record<string, unknown>>)[name]]
}

/** The error of a value that is not what its place needs; `place` is e.g. `keys[3]`. */
export function mismatch(place: string, expected: string, received: unknown): Error {
  const shown = received === undefined ? '' : ` (${preview(received)})`
  return requestInvalid({ problem: `${place} must be ${expected}, not ${kindOf(received)}${shown}.` })
}
