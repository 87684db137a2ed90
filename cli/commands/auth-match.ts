import type { Command } from 'commander'
import type { AuthMatch } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { printable, printJson, printLine } from '../output.js'
import { whoIsAsked } from './auth-status.js'

interface MatchOptions extends ServerOptions {
  /** GET when missing. */
  readonly method?: string
}

const help = `
Nothing is sent to the path, and nobody is asked. A path is read as the router reads it, and as servers may that decode
slashes, join them, or do not tell capital letters from small ones: where different rules hold for these, the request is
refused with 400.

Examples:
  $ modulacms auth match /api/v1/plugins/shop/orders
  $ modulacms auth match POST /api/v1/plugins/shop/orders
  $ modulacms auth match '/reports//2026' --method DELETE --json`

/** Adds `auth match`. */
export function addAuthMatchCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('match')
    .argument('<request...>', 'path as a client sends it, with a method in front or without')
    .summary('tell which rule holds for a request')
    .description('Tell which rule holds for a request, and who would be asked about it.')
    .option('--method <method>', 'method of the request (GET when none is given)')
  addServerOptions(command)
    .addHelpText('after', help)
    .action(async (words: readonly string[], options: MatchOptions) => {
      const { method, path } = readRequest(words, options.method)
      const { client } = await connect(context, options)
      const match = await client.auth.match(method, path)
      if (options.json) return printJson(context, match)
      for (const line of linesOf(match)) printLine(context, printable(line))
    })
}

/** Reads `/path` or `METHOD /path`. @throws CliError */
function readRequest(
  words: readonly string[],
  given: string | undefined,
): { readonly method: string; readonly path: string } {
  const [path = '', method, ...rest] = words.toReversed()
  if (rest.length > 0) {
    throw new CliError(
      exitCodes.usage,
      'USAGE',
      `${words.length} words are given; give a path, or a method and a path.`,
    )
  }
  if (method !== undefined && given !== undefined) {
    throw new CliError(
      exitCodes.usage,
      'USAGE',
      `The method is given twice, as ${method} and as --method ${given}; leave one out.`,
    )
  }
  return { method: method ?? given ?? 'GET', path }
}

function linesOf(match: AuthMatch): readonly string[] {
  const { method, path, access, held, readings } = match
  const lines = [`${method} ${path}`, `  decided by: ${reasonOf(match)}`]
  if (access !== undefined) {
    lines.push(`  asks:       ${whoIsAsked(access)}`)
    if (access.authorizers.length > 0) lines.push(`  then:       ${access.authorizers.join(', ')}`)
  }
  if (held.length > 0) lines.push(`  not ready:  ${held.join(', ')}; what they would decide is refused`)
  if (match.by === 'unclear') {
    for (const reading of readings) {
      lines.push(`  read as ${reading.path} (${reading.as}): ${ruleName(reading.rule)}`)
    }
  }
  return lines
}

function reasonOf({ by, rule }: AuthMatch): string {
  switch (by) {
    case 'rule':
      return ruleName(rule)
    case 'operations':
      return "no rule: it is one of the server's own operations, which ask for permissions themselves"
    case 'exempt':
      return 'no rule: something else makes it public, e.g. a rule of the proxy'
    case 'default':
      return 'no rule, so the default holds'
    case 'unclear':
      return 'nothing: different rules hold for the ways in which it can be read, so it is refused with 400'
    case 'refused':
      return 'nothing: it has dot segments, a backslash or a fragment, so it is refused with 400'
  }
}

function ruleName(rule: number | undefined): string {
  return rule === undefined ? 'no rule' : `auth.http.rules[${rule}]`
}
