import { secretLimits } from '../base/limits/secrets.js'
import { redacted } from '../base/redactor.js'

/** One way to write a secret. */
interface Form {
  readonly name: string
  readonly text: string
}

/**
 * The secrets of a generation: finds them in what its code gives to others. It knows each as it is, inside of JSON and of
 * URLs, and in base64 and hexadecimal digits. It is a net for accidents: code that wants to hide a secret can always
 * write it in a further way.
 */
export class SecretGuard {
  readonly #forms: readonly Form[]
  readonly #pattern: RegExp | undefined

  /** @param secrets By name; null for those that have no value. */
  constructor(secrets: Readonly<Record<string, string | null>>) {
    const given = Object.entries(secrets).filter(isFindable)
    this.#forms = given.flatMap(([name, value]) => formsOf(value).map((text) => ({ name, text })))
    // The longest first: of two texts of which one begins with the other, the rest of the longer one must not stay.
    const longestFirst = this.#forms.map(({ text }) => text).sort((a, b) => b.length - a.length)
    this.#pattern =
      longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(escaped).join('|'), 'g')
  }

  /** True when there is nothing to find. */
  get isIdle(): boolean {
    return this.#forms.length === 0
  }

  /** Gives the text without the secrets: the same text when there are none in it. */
  redact(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, redacted)
  }

  /** Gives the name of a secret that is in the text or the bytes; undefined when there is none. */
  find(content: string | Uint8Array): string | undefined {
    if (typeof content === 'string') return this.#forms.find(({ text }) => content.includes(text))?.name
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    return this.#forms.find(({ text }) => bytes.includes(text))?.name
  }
}

/** Shorter ones stand in texts by chance. */
function isFindable(entry: [string, string | null]): entry is [string, string] {
  return entry[1] !== null && entry[1].length >= secretLimits.charactersMin
}

/** The ways in which a secret is written; each once. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const standard = [0, 1, 2].map((offset) => base64Core(bytes, offset))
  const url = standard.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [
    ...new Set([
      secret,
      // How a header carries what is not Latin-1.
      bytes.toString('latin1'),
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(bytes.toString()),
      ...standard,
      ...url,
      hex,
      hex.toUpperCase(),
    ]),
  ]
}

/**
 * The characters that base64 makes of the secret alone when it stands behind so many other bytes (of three): a user's name
 * and a colon, for one. Those that it shares with its neighbours are left out.
 */
function base64Core(secret: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), secret]).toString('base64')
  const bits = (offset + secret.length) * 8
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6))
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
