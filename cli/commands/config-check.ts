import { resolve } from 'node:path'
import type { Command } from 'commander'
import { toConfigError } from '../../src/config/problems.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { paint, printable, printableLines, printJson, printLine, printNote } from '../output.js'
import { shownPath } from '../plugin-folders.js'

interface CheckOptions {
  readonly plugins?: string
  readonly json?: boolean
}

const help = `
Reads FILE and the environment as a start does, runs the init.lua of each plugin in the sandbox without any effect, and
checks the values of plugins against their schemas. Needs no server and changes nothing. Problems go to standard error.
Exit code 7 when there are any: the server would not start.

Example:
  $ modulacms config check /etc/modulacms/config.json`

/** Adds `config` with its subcommands. */
export function addConfigCommand(program: Command, context: CommandContext): void {
  program
    .command('config')
    .summary('check the configuration')
    .description('Check the configuration, that of plugins included.')
    .command('check')
    .argument('[file]', 'configuration file (default: ./config.json, which need not exist)')
    .summary('say what is wrong with a configuration (offline)')
    .description('Check a configuration as a start would, and name everything that is wrong with it.')
    .option('--plugins <dir>', 'plugin directory')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .action((file: string | undefined, options: CheckOptions) => check(context, file, options))
}

async function check(
  context: CommandContext,
  file: string | undefined,
  options: CheckOptions,
): Promise<void> {
  const absolute = (path: string) => resolve(context.workingDirectory, path)
  const report = await context.checkConfig({
    ...(file === undefined ? { defaultFile: absolute('config.json') } : { file: absolute(file) }),
    environment: context.environment,
    flags: options.plugins === undefined ? {} : { plugin_directory: absolute(options.plugins) },
  })
  const { problems, warnings, plugins } = report
  const valid = problems.length === 0
  if (!valid) context.setExitCode(exitCodes.invalidConfiguration)
  if (options.json) {
    printJson(context, { file: report.file ?? null, valid, problems, warnings, plugins })
    return
  }
  for (const warning of warnings)
    printNote(context, `${paint(context, 'yellow', 'WARN')} ${printable(warning)}`)
  if (!valid) {
    const { message } = toConfigError(problems)
    printNote(context, `${paint(context, 'red', 'error:')} ${printableLines(message)}`)
    return
  }
  const place = report.file === undefined ? 'the defaults, without a file' : shownPath(context, report.file)
  const counted = plugins.length === 1 ? '1 plugin' : `${plugins.length} plugins`
  printLine(context, `${paint(context, 'green', 'valid:')} ${printable(place)} (${counted})`)
}
