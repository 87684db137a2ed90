import { kvSearchLimits } from '../../base/limits/kv.js'
import { isMembers, KvU64, type KvValue } from '../value.js'
import { type PathPart, parsePath, readPath } from '../where/path.js'

/** The texts of an entry, one for each field of an index. */
export interface SearchDocument {
  readonly texts: readonly string[]
  /** Of all texts, in UTF-8. */
  readonly bytes: number
}

/** Makes the document of a value; undefined where no field has a text. */
export type DocumentReader = (value: KvValue) => SearchDocument | undefined

/**
 * Compiles the fields of an index. Texts stand for themselves, numbers, bigints, counters and booleans for what they
 * look like, and arrays and objects for all of these inside them, line by line; names of members, null and bytes are
 * no text. What is beyond `kvSearchLimits.documentBytesMax` is left out.
 *
 * @param fields Paths that `readIndexDefinition` has checked.
 */
export function compileFields(fields: readonly string[]): DocumentReader {
  const paths = fields.map(readField)
  return (value) => {
    let bytesLeft: number = kvSearchLimits.documentBytesMax
    const texts = paths.map((path) => {
      const text = cut(textOf(readPath(value, path)), bytesLeft)
      bytesLeft -= Buffer.byteLength(text)
      return text
    })
    const bytes = kvSearchLimits.documentBytesMax - bytesLeft
    return bytes === 0 ? undefined : { texts, bytes }
  }
}

function readField(field: string): readonly PathPart[] {
  const path = parsePath(field)
  // A stored path that is none any more finds nothing.
  return 'problem' in path ? [''] : path.parts
}

function textOf(value: KvValue): string {
  const lines: string[] = []
  collect(value, lines)
  // A zero character ends a text for some functions of SQLite.
  return lines.join('\n').replaceAll('\0', ' ')
}

function collect(value: KvValue | undefined, lines: string[]): void {
  if (value instanceof KvU64) lines.push(String(value.value))
  else if (Array.isArray(value)) for (const item of value as readonly KvValue[]) collect(item, lines)
  else if (isMembers(value)) for (const member of Object.values(value)) collect(member, lines)
  else if (value !== null && value !== undefined && typeof value !== 'object') lines.push(String(value))
}

/** Leaves what fits, without the half of a character. */
function cut(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text
  const bytes = Buffer.from(text)
  let end = bytesMax
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
