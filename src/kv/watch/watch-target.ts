import { kvLimits } from '../../base/limits/kv.js'
import { kvOptionInvalid } from '../errors.js'
import { encodeKey, encodePrefix, type KeyRange, type KvKey, prefixRange } from '../key.js'

/** What a watcher follows: some keys, or a range. */
export type WatchTarget =
  | { readonly keys: readonly Buffer[]; readonly wants: (key: Buffer) => boolean }
  | { readonly range: KeyRange; readonly wants: (key: Buffer) => boolean }

/**
 * Reads the target of `Kv.watch`.
 *
 * @throws `KV_OPTION_INVALID` for what names neither keys nor a prefix, or too many keys; errors of `encodeKey`.
 */
export function readTarget(target: unknown): WatchTarget {
  const { keys, prefix, ...others } = (target ?? {}) as {
    readonly keys?: readonly KvKey[]
    readonly prefix?: KvKey
  }
  if ((keys === undefined) === (prefix === undefined) || Object.keys(others).length > 0) {
    throw invalid('"watch" follows {keys: […]} or {prefix: […]}, one of them.')
  }
  return keys === undefined ? prefixTarget(prefix as KvKey) : keysTarget(keys)
}

function prefixTarget(prefix: KvKey): WatchTarget {
  const start = encodePrefix(prefix)
  const { end } = prefixRange(start)
  const wants = (key: Buffer): boolean => Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0
  return { range: { start, end }, wants }
}

function keysTarget(keys: readonly KvKey[]): WatchTarget {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw invalid('The option "keys" of "watch" is an array of at least one key.')
  }
  if (keys.length > kvLimits.watchedKeysMax) {
    throw invalid(
      `"watch" got ${keys.length} keys, and ${kvLimits.watchedKeysMax} are allowed. Follow a prefix.`,
    )
  }
  const encoded = keys.map((key) => encodeKey(key))
  const names = new Set(encoded.map(nameOf))
  return { keys: encoded, wants: (key) => names.has(nameOf(key)) }
}

function nameOf(key: Buffer): string {
  return key.toString('latin1')
}

function invalid(problem: string): Error {
  return kvOptionInvalid({ problem })
}
