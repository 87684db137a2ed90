import { optionalMilliseconds } from './duration.js'
import { checkOptions, isVersionstamp, show, wrongOption } from './options.js'
import { enqueueOptionsToWire } from './queue-messages.js'
import { refused } from './refusal.js'
import type { KvCheck, KvEnqueueOptions, KvMutations, KvSetOptions } from './types.js'
import { type KvKey, KvU64, type KvValue } from './value.js'
import { toWire, type Wire, wholeKeyToWire } from './wire.js'

type Operand = number | bigint | KvU64

/** Collects the checks and mutations of one commit, as they are sent. What cannot be sent is refused where it is given. */
export class MutationList implements KvMutations<void> {
  readonly checks: Wire[] = []
  readonly mutations: Wire[] = []

  check({ key, versionstamp }: KvCheck): void {
    if (versionstamp !== null && !isVersionstamp(versionstamp)) {
      throw wrongOption(
        `the versionstamp of a check is ${show(versionstamp)}; it is that of an entry, or null`,
      )
    }
    this.checks.push({ key: wholeKeyToWire(key), versionstamp })
  }

  set(key: KvKey, value: KvValue, options?: KvSetOptions): void {
    this.#add('set', key, toWire(value), options)
  }

  delete(key: KvKey): void {
    this.mutations.push({ type: 'delete', key: wholeKeyToWire(key) })
  }

  sum(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#add('sum', key, operandToWire('sum', value), options)
  }

  max(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#add('max', key, operandToWire('max', value), options)
  }

  min(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#add('min', key, operandToWire('min', value), options)
  }

  append(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): void {
    this.#add('append', key, itemsToWire('append', items), options)
  }

  prepend(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): void {
    this.#add('prepend', key, itemsToWire('prepend', items), options)
  }

  enqueue(value: KvValue, options: KvEnqueueOptions = {}): void {
    this.mutations.push({ type: 'enqueue', value: toWire(value), ...enqueueOptionsToWire(options) })
  }

  #add(type: string, key: KvKey, value: Wire, options: KvSetOptions = {}): void {
    checkOptions(options, type, ['expiresIn'])
    const expiresIn = optionalMilliseconds(options.expiresIn, 'expiresIn')
    this.mutations.push({ type, key: wholeKeyToWire(key), value, expiresIn })
  }
}

/** The server takes digits in a string for a number, which nobody means who writes TypeScript. */
function operandToWire(type: string, value: Operand): Wire {
  if (Number.isSafeInteger(value) || typeof value === 'bigint' || value instanceof KvU64) return toWire(value)
  throw refused(
    'KV_VALUE_INVALID',
    `the operand of "${type}" is ${show(value)}; give a whole number, a bigint or a KvU64`,
  )
}

function itemsToWire(type: string, items: readonly KvValue[]): Wire {
  if (Array.isArray(items)) return toWire(items)
  throw refused('KV_VALUE_INVALID', `the items of "${type}" are ${show(items)}; give an array`)
}
