import { readdirSync, readFileSync } from 'node:fs'
import * as auth from '../../src/base/limits/auth.js'
import * as config from '../../src/base/limits/config.js'
import * as content from '../../src/base/limits/content.js'
import * as database from '../../src/base/limits/database.js'
import * as gateway from '../../src/base/limits/gateway.js'
import * as harness from '../../src/base/limits/harness.js'
import * as hooks from '../../src/base/limits/hooks.js'
import * as identity from '../../src/base/limits/identity.js'
import * as kv from '../../src/base/limits/kv.js'
import * as outbound from '../../src/base/limits/outbound.js'
import * as plugins from '../../src/base/limits/plugins.js'
import * as sandbox from '../../src/base/limits/sandbox.js'
import * as server from '../../src/base/limits/server.js'
import * as telemetry from '../../src/base/limits/telemetry.js'
import { cell, pageHead } from './lua-page.js'

type Blocks = Readonly<Record<string, Readonly<Record<string, number>>>>

/** The files of the folder of limits, in the order of the page. */
const areas: Readonly<Record<string, Blocks>> = {
  sandbox,
  plugins,
  hooks,
  gateway,
  server,
  identity,
  auth,
  database,
  kv,
  content,
  outbound,
  telemetry,
  config,
  harness,
}

const folder = 'src/base/limits'

const block = /\/\*\* ([^*]*?) \*\/\nexport const (\w+) = \{\n([\s\S]*?)\n\} as const/g
const entry = /\/\*\*\s*((?:(?!\*\/)[\s\S])*?)\s*\*\/\s*(\w+):/g

const introduction = [
  'What is fixed in the code, and what happens at each limit. Limits that an operator may change are keys of the',
  '[configuration](configuration.md).',
].join('\n')

/**
 * Makes the page of fixed limits: prose from the comments of the limits in `src/base/limits/`, values from the modules themselves.
 *
 * @param root Root of the repository, with a slash at its end.
 * @throws Error for a limit without prose, a block that the page cannot read, or a file that it does not know.
 */
export function limitsPage(root: URL): string {
  const unknown = readdirSync(new URL(folder, root)).filter((file) => !(file.replace(/\.ts$/, '') in areas))
  if (unknown.length > 0)
    throw new Error(`${folder} has files that the page does not know: ${unknown.join(', ')}`)
  const chapters = Object.entries(areas).flatMap(([area, values]) =>
    chaptersOf(root, `${folder}/${area}.ts`, values),
  )
  return `${[pageHead('Limits', `${folder}/`, introduction), ...chapters].join('\n')}\n`
}

function chaptersOf(root: URL, file: string, values: Blocks): readonly string[] {
  const source = readFileSync(new URL(file, root), 'utf8')
  const chapters = [...source.matchAll(block)].map(([, about = '', name = '', body = '']) => {
    const rows = blockRows(name, body, values[name] ?? {})
    return [`\n## ${name}`, '', about, '', '| limit | value | |', '|---|---|---|', ...rows].join('\n')
  })
  const missing = Object.keys(values).length - chapters.length
  if (missing !== 0) throw new Error(`${file}: ${missing} exports are not documented blocks`)
  return chapters
}

function blockRows(block: string, body: string, values: Readonly<Record<string, number>>): readonly string[] {
  const prose = new Map<string, string>()
  for (const [, text = '', name = ''] of body.matchAll(entry)) {
    prose.set(name, text.replaceAll(/\s*\n\s*\*\s?/g, ' '))
  }
  return Object.entries(values).map(([name, value]) => {
    const text = prose.get(name)
    if (text === undefined) throw new Error(`${folder}: ${block}.${name} has no comment`)
    return `| \`${name}\` | ${withUnit(name, value)} | ${cell(text)} |`
  })
}

/** Writes a number with the unit that its name ends with. */
function withUnit(name: string, value: number): string {
  const unit = name.replace(/(?:Max|Min|Default)$/, '')
  if (/Ms$/.test(unit)) return milliseconds(value)
  if (/Megabytes$/.test(unit)) return `${value} MiB`
  if (/[bB]ytes$/.test(unit)) return bytes(value)
  const digits = value.toLocaleString('en-US')
  return /(?:characters|length|segment)$/i.test(unit) ? `${digits} characters` : digits
}

function milliseconds(value: number): string {
  if (value % 60_000 === 0) return `${value / 60_000} min`
  if (value % 1000 === 0) return `${value / 1000} s`
  return `${value.toLocaleString('en-US')} ms`
}

function bytes(value: number): string {
  if (value % (1024 * 1024) === 0) return `${value / (1024 * 1024)} MiB`
  if (value % 1024 === 0) return `${value / 1024} KiB`
  return `${value.toLocaleString('en-US')} bytes`
}
