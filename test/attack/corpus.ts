import { readdirSync, readFileSync } from 'node:fs'

/**
 * What must come of an attack.
 *
 * | outcome       | meaning                                                                                    |
 * |---------------|--------------------------------------------------------------------------------------------|
 * | `refused`     | 200 with `{"refused":true,...}`: the plugin itself saw every attempt fail                    |
 * | `error`       | 500 HANDLER_ERROR                                                                          |
 * | `stopped`     | 504 or 500 by a budget, or the hard stop; never 200                                        |
 * | `contained`   | any of the three; only the host has to stay well                                           |
 * | `load-failed` | the plugin does not load                                                                   |
 * | `json`        | 200 with exactly this body                                                                 |
 */
export type Outcome =
  | { readonly kind: 'refused' | 'error' | 'stopped' | 'contained' | 'load-failed' }
  | { readonly kind: 'json'; readonly body: string }

export interface AttackRequest {
  readonly method: string
  /** JSON text of the body; undefined when the request has none. */
  readonly body: string | undefined
}

/** One file of the corpus. */
export interface Attack {
  /** Name of the file without extension. */
  readonly file: string
  /** Rows of the threat catalogue that it stands for; the first is the main one. */
  readonly ids: readonly string[]
  readonly title: string
  readonly expect: Outcome
  /** Expectation when the soft limits are off and only the hard stop works. */
  readonly hard: Outcome
  readonly request: AttackRequest
  /** True when the file registers GET /after, which must answer `{"clean":true}` in the next call. */
  readonly hasAfter: boolean
  /** The whole file: init.lua but for `plugin_info`, which goes in front of the first line. */
  readonly source: string
}

/** The folder of the Lua files, seen from the compiled code. */
export const corpusFolder = new URL('../../../test/attack/', import.meta.url)

const plainKinds = ['refused', 'error', 'stopped', 'contained', 'load-failed'] as const
const headerKeys = ['id', 'title', 'expect', 'hard', 'request', 'after']

/** Reads every attack, in the order of the file names. */
export function readCorpus(folder: URL = corpusFolder): readonly Attack[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.lua'))
  return names
    .sort()
    .map((name) => parseAttack(name.slice(0, -4), readFileSync(new URL(name, folder), 'utf8')))
}

/**
 * Parses the header comment of one file.
 *
 * @throws Error that names the file when a line is missing, unknown, repeated or wrong.
 */
export function parseAttack(file: string, source: string): Attack {
  const header = readHeader(file, source)
  const expect = parseOutcome(file, required(file, header, 'expect'))
  const hard = header.get('hard')
  return {
    file,
    ids: required(file, header, 'id').split(/\s+/),
    title: required(file, header, 'title'),
    expect,
    hard: hard === undefined ? withoutSoftLimits(expect) : parseOutcome(file, hard),
    request: parseRequest(file, header.get('request')),
    hasAfter: header.has('after'),
    source,
  }
}

function readHeader(file: string, source: string): Map<string, string> {
  const header = new Map<string, string>()
  for (const line of source.split('\n')) {
    const match = /^-- ([a-z]+): (.+)$/.exec(line)
    if (match === null) break
    const [, key = '', value = ''] = match
    if (!headerKeys.includes(key)) throw new Error(`${file}: unknown header line "${key}"`)
    if (header.has(key)) throw new Error(`${file}: header line "${key}" occurs twice`)
    header.set(key, value.trim())
  }
  return header
}

function required(file: string, header: ReadonlyMap<string, string>, key: string): string {
  const value = header.get(key)
  if (value === undefined) throw new Error(`${file}: header line "${key}" is missing`)
  return value
}

function parseOutcome(file: string, text: string): Outcome {
  if (text.startsWith('json:')) {
    const body = text.slice('json:'.length)
    JSON.parse(body)
    return { kind: 'json', body }
  }
  const kind = plainKinds.find((known) => known === text)
  if (kind === undefined) throw new Error(`${file}: unknown outcome "${text}"`)
  return { kind }
}

/** What a budget would have ended is ended by the hard stop instead; all else stays as it is. */
function withoutSoftLimits(expect: Outcome): Outcome {
  return expect.kind === 'error' ? { kind: 'contained' } : expect
}

function parseRequest(file: string, text: string | undefined): AttackRequest {
  if (text === undefined) return { method: 'GET', body: undefined }
  const match = /^(GET|POST|PUT|PATCH|DELETE)(?: (.+))?$/.exec(text)
  if (match === null) throw new Error(`${file}: request "${text}" is not a method and a JSON body`)
  return { method: match[1] ?? 'GET', body: match[2] }
}
