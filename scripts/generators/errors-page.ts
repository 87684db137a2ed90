import { readdirSync, readFileSync } from 'node:fs'
import { sep } from 'node:path'
import { dispatchLimits } from '../../src/base/limits/plugins.js'
import { executorLimits } from '../../src/base/limits/sandbox.js'
import { bodyTooLarge, type DispatchFailure, dispatchFailures } from '../../src/plugins/dispatch-failures.js'
import { cell, pageHead } from './lua-page.js'

const definition =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export const \w+ = defineError\(\s*'(\w+)',\s*(\d+),\s*'((?:[^'\\]|\\.)*)',?\s*\)/g

const introduction = [
  'A code never changes its meaning. Plugin routes and the admin API answer',
  '`{"error": {"code", "message", "request_id"}}`. The text of a 5xx answer is fixed: what went wrong in detail is in',
  'the log line with the same request id. Codes of status 500 that are about the configuration, the token or the',
  'database end the start of the server and are shown on its terminal.',
].join('\n')

interface ErrorLine {
  readonly code: string
  readonly status: string
  readonly sentence: string
  readonly about: string
}

/**
 * Makes the page of error codes, from the error tables in the sources.
 *
 * @param root Root of the repository, with a slash at its end.
 * @throws Error for an error that is declared in a form that the page cannot read.
 */
export function errorsPage(root: URL): string {
  const folders = new Map<string, ErrorLine[]>()
  for (const file of sourceFiles(root)) {
    const lines = readErrors(root, file)
    const folder = file.split('/')[0] ?? file
    if (lines.length > 0) folders.set(folder, [...(folders.get(folder) ?? []), ...lines])
  }
  const chapters = [...folders].map(([folder, lines]) => chapter(`\`src/${folder}\``, lines))
  const dispatch = chapter('Requests to plugin routes', dispatchLines())
  return `${[pageHead('Error codes', 'the error tables of src/', introduction), dispatch, ...chapters].join('\n')}\n`
}

function chapter(title: string, lines: readonly ErrorLine[]): string {
  const rows = [...lines]
    .sort((a, b) => a.code.localeCompare(b.code) || a.status.localeCompare(b.status))
    .map(
      ({ code, status, sentence, about }) =>
        `| \`${code}\` | ${status} | ${cell(sentence)} | ${cell(about)} |`,
    )
  return [`\n## ${title}`, '', '| code | status | text | when |', '|---|---|---|---|', ...rows].join('\n')
}

function sourceFiles(root: URL): readonly string[] {
  return readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && path !== 'base/errors.ts')
    .sort()
}

function readErrors(root: URL, file: string): readonly ErrorLine[] {
  const source = readFileSync(new URL(`src/${file}`, root), 'utf8')
  const lines = [...source.matchAll(definition)].map(
    ([, about = '', code = '', status = '', sentence = '']) => ({
      code,
      status,
      sentence: placeholders(unescaped(sentence)),
      about: about.replaceAll(/\s*\n\s*\*?\s?/g, ' ').trim(),
    }),
  )
  const declared = source.split('defineError(').length - 1
  if (lines.length !== declared) {
    throw new Error(`src/${file} declares ${declared} errors, of which the page can read ${lines.length}`)
  }
  return lines
}

/** Reads the escapes of a string literal; a line break becomes a space. */
function unescaped(text: string): string {
  return text.replaceAll('\\n', ' ').replaceAll(/\\(.)/g, '$1')
}

/** Shows what is filled in as Markdown leaves it alone: `<name>` would be taken for HTML. */
function placeholders(text: string): string {
  return text.replaceAll('<', '&lt;')
}

const dispatchMeanings: Readonly<Record<keyof typeof dispatchFailures, string>> = {
  routeNotFound: 'No plugin has such a route, or the route is not approved: the answer does not tell which.',
  unauthorized: 'The route is not public, and the request has no valid credential.',
  rateLimited: 'The address has used up `plugin_rate_limit`.',
  pluginUnavailable: 'The plugin failed to load or was disabled, or the server is shutting down.',
  breakerOpen:
    '`plugin_max_failures` calls failed in a row; after `plugin_reset_interval` one is let through.',
  poolExhausted: `No VM was free for ${executorLimits.checkoutWaitMs} ms.`,
  executorLost: 'The thread that ran the call was ended because of another call.',
  handlerError: 'The plugin raised an error, used up its memory, or returned no response.',
  handlerTimeout: 'The call used up its time or its instructions, or its thread was ended because of it.',
  responseTooLarge: 'The response exceeds `plugin_max_response_body`.',
  secretInResponse:
    'The headers or the body have a secret of the plugin, as it is or in a usual encoding; the log names it.',
  internalError: 'A mistake of the host.',
  bodyTooSlow: `The body did not arrive within ${dispatchLimits.bodyReadMs / 1000} seconds.`,
  contentTypeMalformed: 'The request has a `Content-Type` that cannot be read.',
}

function dispatchLines(): readonly ErrorLine[] {
  const toLine = ({ code, status, message }: DispatchFailure, about: string): ErrorLine => ({
    code,
    status: String(status),
    sentence: message,
    about,
  })
  const keys = Object.keys(dispatchFailures) as (keyof typeof dispatchFailures)[]
  return [
    ...keys.map((key) => toLine(dispatchFailures[key], dispatchMeanings[key])),
    toLine(bodyTooLarge(undefined, 1_048_576), 'The body exceeds `plugin_max_request_body`.'),
  ]
}
