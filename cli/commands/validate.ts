import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { findNameProblem } from '../../src/plugins/plugin-name.js'
import { describeItem } from '../approval-items.js'
import { CliError } from '../cli-error.js'
import type { CommandContext, Finding, ValidationReport } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { paint, printable, printJson, printLine, printNote } from '../output.js'
import { shownPath, validateFolder, withValidator } from '../plugin-folders.js'
import { describeGuard } from '../route-guard.js'
import { loadSettings } from '../settings.js'

interface ValidateOptions {
  readonly config?: string
  readonly plugins?: string
  readonly json?: boolean
}

const help = `
PATH is a plugin folder, or the name of one in the plugin directory. Its init.lua runs in the real sandbox without any
effect; needs no server. Problems go to standard error, one a line. Exit code 3 when there is an error.

Example:
  $ modulacms plugin validate plugins/task_tracker`

/** Adds `plugin validate`. */
export function addValidateCommand(parent: Command, context: CommandContext): void {
  parent
    .command('validate')
    .argument('<path>', 'plugin folder')
    .summary('check a plugin folder (offline)')
    .description('Check that a plugin can be loaded: its files, its manifest and what it registers.')
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--plugins <dir>', 'plugin directory')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .action((path: string, options: ValidateOptions) => validate(context, path, options))
}

async function validate(context: CommandContext, path: string, options: ValidateOptions): Promise<void> {
  const directory = findFolder(context, path, options)
  const report = await withValidator(context, (validator) => validateFolder(validator, directory))
  const valid = report.errors.length === 0
  if (options.json) {
    const { name, version, description, errors, warnings, routes, grants = [], migrations = [] } = report
    const facts = { name, version, description, errors, warnings, routes, grants, migrations }
    printJson(context, { path: directory, valid, ...facts })
  } else printReport(context, shownPath(context, directory), report)
  if (!valid) context.setExitCode(exitCodes.invalidPlugin)
}

function findFolder(context: CommandContext, path: string, options: ValidateOptions): string {
  const direct = resolve(context.workingDirectory, path)
  if (existsSync(direct)) return direct
  if (findNameProblem(path) === undefined) {
    const inPlugins = join(loadSettings(context, options).pluginDirectory, path)
    if (existsSync(inPlugins)) return inPlugins
  }
  throw new CliError(exitCodes.notFound, 'FOLDER_NOT_FOUND', `there is no folder ${direct}`)
}

function printReport(context: CommandContext, place: string, report: ValidationReport): void {
  const { name, version, errors, warnings, routes, grants = [], migrations = [] } = report
  for (const finding of errors) printFinding(context, paint(context, 'red', 'ERROR'), finding)
  for (const finding of warnings) printFinding(context, paint(context, 'yellow', 'WARN'), finding)
  if (errors.length > 0) {
    const count = errors.length === 1 ? '1 error' : `${errors.length} errors`
    printNote(context, `${place} is not valid: ${count}`)
    return
  }
  const title = printable(`${name ?? place} ${version ?? ''}`.trimEnd())
  const note = warnings.length === 0 ? '' : ` (${warnings.length} warning${warnings.length === 1 ? '' : 's'})`
  printLine(context, `${paint(context, 'green', 'valid:')} ${title}${note}`)
  for (const route of routes) {
    printLine(context, printable(`  ${route.method} ${route.path}${describeGuard(route)}`))
  }
  for (const grant of grants) printLine(context, `  ${describeItem(context, grant)}`)
  for (const { version: number, description, reversible } of migrations) {
    printLine(
      context,
      printable(`  migration ${number} ${description}${reversible ? '' : '  (cannot be undone)'}`),
    )
  }
}

function printFinding(context: CommandContext, label: string, { field, message }: Finding): void {
  printNote(context, `${label} [${printable(field)}] ${printable(message)}`)
}
