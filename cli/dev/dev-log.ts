import { printable } from '../output.js'
import { findPlace, readExcerpt, type SourceExcerpt } from './source-excerpt.js'

export interface DevLogOptions {
  readonly colors: boolean
  /** Writes finished text. */
  write(text: string): void
  /** Told when a plugin has been loaded, after its line. */
  loaded(plugin: string): void
}

type LogRecord = Readonly<Record<string, unknown>>

const styles = { red: 31, green: 32, yellow: 33, gray: 90, bold: 1 } as const
/** Colours that tell plugins apart: cyan, magenta, blue, and their bright ones. */
const pluginColors = [36, 35, 34, 96, 95, 94]
const levelStyles: Readonly<Record<string, keyof typeof styles>> = {
  trace: 'gray',
  debug: 'gray',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
}

const excerptWidth = 120
/** An error that repeats is shown with its code at most this often. */
const excerptPauseMs = 1000
const excerptsRemembered = 100

/** Turns the log of a host, JSON line by JSON line, into text for the person who writes its plugins. */
export class DevLog {
  readonly #options: DevLogOptions
  readonly #folders = new Map<string, string>()
  readonly #shownAtMs = new Map<string, number>()
  #directory: string | undefined

  constructor(options: DevLogOptions) {
    this.#options = options
  }

  /** Says where the plugins are; without it no code is shown. */
  useDirectory(directory: string): void {
    this.#directory = directory
  }

  /** Takes one line of the log. */
  write(line: string): void {
    const record = parseRecord(line)
    if (record === undefined) {
      this.#options.write(`${printable(line.trimEnd())}\n`)
      return
    }
    const { plugin, folder, msg } = record
    if (typeof plugin === 'string' && typeof folder === 'string') this.#folders.set(plugin, folder)
    const excerpt = this.#excerptOf(record)
    this.#options.write(
      `${this.#format(record)}\n${excerpt === undefined ? '' : this.#formatExcerpt(excerpt)}`,
    )
    if (msg === 'plugin loaded' && typeof plugin === 'string') this.#options.loaded(plugin)
  }

  #format(record: LogRecord): string {
    const {
      time,
      level,
      plugin,
      context,
      msg,
      err,
      reason,
      error,
      version,
      ms,
      generation: _,
      folder: __,
      ...rest
    } = record
    const name = typeof plugin === 'string' ? printable(plugin) : 'modulacms'
    const severity = String(level)
    const said =
      msg === 'plugin loaded'
        ? this.#paint('green', `reloaded ${name} ${printable(String(version))} in ${Number(ms)} ms`)
        : this.#paint(levelStyles[severity], printable(String(msg ?? '')))
    const cause = [reason, error, messageOf(err)].find((text) => typeof text === 'string' && text !== '')
    const fields = Object.entries({
      ...(version === undefined || msg === 'plugin loaded' ? {} : { version }),
      ...rest,
      ...toFields(context),
    })
    return [
      this.#paint('gray', String(time ?? '').slice(11, 19)),
      this.#paintName(name),
      this.#paint(levelStyles[severity], severity.padEnd(5)),
      said + (cause === undefined ? '' : `: ${printable(String(cause))}`),
      ...fields.map(([key, value]) => this.#paint('gray', `${printable(key)}=${showValue(value)}`)),
    ].join(' ')
  }

  /** The code that the record speaks of; nothing for a place that was shown a moment ago. */
  #excerptOf(record: LogRecord): SourceExcerpt | undefined {
    if (this.#directory === undefined || (record.level !== 'error' && record.level !== 'warn'))
      return undefined
    const text = [record.reason, record.error, messageOf(record.err), record.msg].find(
      (each) => typeof each === 'string' && findPlace(each) !== undefined,
    )
    const place = findPlace(typeof text === 'string' ? text : '')
    if (place === undefined) return undefined
    const key = `${place.plugin}/${place.file}:${place.line}`
    const nowMs = performance.now()
    const shownAtMs = this.#shownAtMs.get(key)
    if (shownAtMs !== undefined && nowMs - shownAtMs < excerptPauseMs) return undefined
    if (this.#shownAtMs.size >= excerptsRemembered) this.#shownAtMs.clear()
    this.#shownAtMs.set(key, nowMs)
    return readExcerpt(this.#directory, this.#folders.get(place.plugin) ?? place.plugin, place)
  }

  #formatExcerpt({ place, firstLine, lines }: SourceExcerpt): string {
    const width = String(firstLine + lines.length).length
    const rows = [`    ${this.#paint('bold', `${place.plugin}/${place.file}:${place.line}`)}`]
    for (const [at, text] of lines.entries()) {
      const number = firstLine + at
      const shown = printable(text.replaceAll('\t', '  ')).slice(0, excerptWidth)
      const isPlace = number === place.line
      const row = `${isPlace ? '>' : ' '} ${String(number).padStart(width)} | ${shown}`
      rows.push(`  ${isPlace ? this.#paint('red', row) : row}`.trimEnd())
      if (!isPlace) continue
      const indent = shown.length - shown.trimStart().length
      const carets = '^'.repeat(Math.max(1, shown.trim().length))
      rows.push(`    ${' '.repeat(width)} | ${' '.repeat(indent)}${this.#paint('red', carets)}`)
    }
    return `${rows.join('\n')}\n`
  }

  #paint(style: keyof typeof styles | undefined, text: string): string {
    return this.#options.colors && style !== undefined ? `\u001b[${styles[style]}m${text}\u001b[0m` : text
  }

  #paintName(name: string): string {
    if (!this.#options.colors) return name
    let sum = 0
    for (const character of name) sum += character.codePointAt(0) ?? 0
    return `\u001b[${pluginColors[sum % pluginColors.length]}m${name}\u001b[0m`
  }
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as LogRecord) : undefined
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return String(error.message)
}

function toFields(context: unknown): LogRecord {
  return typeof context === 'object' && context !== null ? (context as LogRecord) : {}
}

function showValue(value: unknown): string {
  return printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
}
