import { kvLimits } from '../../base/limits/kv.js'
import { kvKeyInvalid, kvOptionInvalid } from '../errors.js'
import { encodePrefix, type KvKey, type KvKeyPart } from '../key.js'
import { keyFromWire } from '../wire.js'
import { locate, readItems } from './body-reader.js'
import { mismatch, preview } from './preview.js'
import { requestInvalid } from './routes-failures.js'

const partKinds = 'a string, a number, a boolean, or tagged as "bigint" or "bytes"'

/** Reads a key, or the beginning of keys, from parsed JSON. `place` is e.g. `keys[3]`. */
export function readPrefix(wire: unknown, place: string): KvKey {
  if (!Array.isArray(wire)) throw mismatch(place, 'an array of the parts of a key', wire)
  if (wire.length > kvLimits.keyPartsMax) {
    // Said here, as nothing that long is worth reading.
    const problem = `${place} has ${wire.length} parts, and ${kvLimits.keyPartsMax} are allowed.`
    throw kvKeyInvalid({ problem })
  }
  const key = wire.map((part, at) => readPart(part, `${place}[${at}]`))
  // What it takes to store a key is found out here, where its place is known.
  locate(place, () => encodePrefix(key))
  return key
}

/** Reads a key from parsed JSON. */
export function readKey(wire: unknown, place: string): KvKey {
  const key = readPrefix(wire, place)
  if (key.length > 0) return key
  throw requestInvalid({ problem: `${place} is empty; a key has at least one part.` })
}

/** Reads several keys from parsed JSON. */
export function readKeys(wire: unknown, place: string): KvKey[] {
  // The store refuses them as well, but not before each of them has been read.
  if (Array.isArray(wire) && wire.length > kvLimits.keysMax) {
    throw kvOptionInvalid({
      problem: `"${place}" has ${wire.length} keys, and ${kvLimits.keysMax} are allowed.`,
    })
  }
  return readItems(wire, place, { min: 1, max: kvLimits.keysMax }, readKey)
}

/**
 * Reads a key, or the beginning of keys, of a query: text that begins with `[` is tagged JSON, everything else parts
 * with slashes between them, e.g. `users/42`, of which integers are numbers.
 */
export function readPrefixText(text: string, place: string): KvKey {
  if (text.startsWith('[')) return readPrefix(parseJson(text, place), place)
  return readPrefix(partsOf(text.split('/')), place)
}

/** Reads the keys of a query: a JSON array of keys, or keys with slashes in them and commas between them. */
export function readKeysText(text: string, place: string): KvKey[] {
  const wire = text.startsWith('[')
    ? parseJson(text, place)
    : text.split(',').map((path) => partsOf(path.split('/')))
  return readKeys(wire, place)
}

/**
 * Reads the key at the end of a path as it was sent, percent-encoded. Slashes stand between the parts unless they are
 * encoded themselves; a path that begins with `[` is tagged JSON as a whole.
 */
export function readKeyPath(raw: string): KvKey {
  const place = 'the key in the path'
  const text = decodePercent(raw, place)
  if (text.startsWith('[')) return readKey(parseJson(text, place), place)
  return readKey(partsOf(raw.split('/').map((segment) => decodePercent(segment, place))), place)
}

/** Decodes a text of a URL, which is UTF-8. */
export function decodePercent(text: string, place: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw requestInvalid({
      problem: `${place} is not percent-encoded UTF-8: ${preview(text)}. Encode it as encodeURIComponent does.`,
    })
  }
}

function readPart(wire: unknown, place: string): KvKeyPart {
  // Only tags are objects here; whatever else an object holds, however deep, is not looked at.
  if (typeof wire === 'object' && (wire === null || Array.isArray(wire) || !('__type' in wire))) {
    throw mismatch(place, partKinds, wire)
  }
  const [part] = locate(place, () => keyFromWire([wire]))
  const isPart = typeof part !== 'object' || part instanceof Uint8Array
  if (part === undefined || !isPart) throw mismatch(place, partKinds, wire)
  return part
}

function partsOf(segments: readonly string[]): (string | number)[] {
  return segments.filter((segment) => segment !== '').map(partOf)
}

function partOf(segment: string): string | number {
  if (!/^-?\d+$/.test(segment)) return segment
  const integer = Number(segment)
  return Number.isSafeInteger(integer) ? integer : segment
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw requestInvalid({ problem: `${place} begins with "[" but is not JSON: ${preview(text)}.` })
  }
}
