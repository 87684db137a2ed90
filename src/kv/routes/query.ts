import type { FastifyRequest } from 'fastify'
import type { KvKey } from '../key.js'
import { type Bounds, readInteger } from './body-reader.js'
import { decodePercent, readPrefixText } from './key-text.js'
import { mismatch, preview } from './preview.js'
import { requestInvalid } from './routes-failures.js'

/** The parameters of a query, each at most once. */
export class Query {
  readonly #texts: ReadonlyMap<string, string>

  /**
   * Reads the query of a URL by itself: the framework's parser passes over what is not encoded well.
   *
   * @param known Names of the parameters that the route has.
   * @throws `KV_REQUEST_INVALID` for others, for one that is there twice, and for what cannot be decoded.
   */
  constructor(request: FastifyRequest, known: readonly string[]) {
    const texts = new Map<string, string>()
    for (const [name, text] of readPairs(request.raw.url ?? '')) {
      if (!known.includes(name)) {
        const names = known.length === 0 ? 'none' : known.join(', ')
        throw requestInvalid({
          problem: `The query has the unknown parameter ${preview(name)}; this takes ${names}.`,
        })
      }
      if (texts.has(name)) {
        throw requestInvalid({ problem: `The query has the parameter "${name}" more than once.` })
      }
      texts.set(name, text)
    }
    this.#texts = texts
  }

  /** A text; undefined when it is missing. */
  text(name: string): string | undefined {
    return this.#texts.get(name)
  }

  /** A text that must be there. */
  needText(name: string): string {
    const text = this.#texts.get(name)
    if (text === undefined) throw requestInvalid({ problem: `The query lacks the parameter "${name}".` })
    return text
  }

  /** A whole number; undefined when it is missing. */
  integer(name: string, bounds?: Bounds): number | undefined {
    const text = this.#texts.get(name)
    if (text === undefined) return undefined
    if (!/^-?\d{1,15}$/.test(text)) throw mismatch(name, 'a whole number', text)
    return readInteger(Number(text), name, bounds)
  }

  /** `true` or `false`; undefined when it is missing. */
  flag(name: string): boolean | undefined {
    const text = this.#texts.get(name)
    if (text === undefined) return undefined
    if (text === 'true' || text === 'false') return text === 'true'
    throw mismatch(name, 'true or false', text)
  }

  /** A key, or the beginning of keys; undefined when it is missing. */
  prefix(name: string): KvKey | undefined {
    const text = this.#texts.get(name)
    return text === undefined ? undefined : readPrefixText(text, name)
  }
}

function* readPairs(url: string): Iterable<readonly [name: string, text: string]> {
  const [, query = ''] = /\?([^#]*)/.exec(url) ?? []
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const [name, text] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    yield [readWord(name), readWord(text)]
  }
}

function readWord(word: string): string {
  return decodePercent(word.replaceAll('+', ' '), 'the query')
}
