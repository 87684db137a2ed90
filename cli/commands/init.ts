import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { findNameProblem } from '../../src/plugins/plugin-name.js'
import { CliError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { paint, printJson, printLine, printNote } from '../output.js'
import { shownPath } from '../plugin-folders.js'
import { readStubs, writeScaffold } from '../scaffold.js'
import { loadSettings } from '../settings.js'
import { pluginFiles } from '../templates/plugin-files.js'

interface InitOptions {
  readonly version?: string
  readonly description?: string
  readonly author?: string
  readonly license?: string
  readonly config?: string
  readonly plugins?: string
  readonly json?: boolean
}

const help = `
The plugin works as it is: two routes, a table, a module in lib/, a test, and settings with which an editor that knows
the Lua language server completes and checks the host's modules. On a terminal it asks for what is missing.

Example:
  $ modulacms plugin init guest_book --description "Visitors leave a line"`

/** Adds `plugin init`. */
export function addInitCommand(parent: Command, context: CommandContext): void {
  parent
    .command('init')
    .argument('<name>', 'name of the plugin: lower-case letters, digits and _')
    .summary('make a plugin that works (offline)')
    .description('Make the folder of a plugin that works, in the plugin directory.')
    .option('--version <version>', 'version of the plugin (default: 0.1.0)')
    .option('--description <text>', 'one sentence on what it does')
    .option('--author <name>', 'who wrote it')
    .option('--license <id>', 'its licence (default: MIT)')
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--plugins <dir>', 'plugin directory')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action((name: string, options: InitOptions) => init(context, name, options))
}

async function init(context: CommandContext, name: string, options: InitOptions): Promise<void> {
  const problem = findNameProblem(name)
  if (problem !== undefined) throw new CliError(exitCodes.usage, 'NAME_INVALID', problem)
  const { pluginDirectory, url } = loadSettings(context, options)
  const directory = join(pluginDirectory, name)
  if (existsSync(directory)) {
    const message = `${directory} exists already; choose another name, or remove it first`
    throw new CliError(exitCodes.failure, 'FOLDER_EXISTS', message)
  }
  const manifest = { name, ...(await complete(context, options)) }
  const stubs = await readStubs(context.stubsDirectory)
  const files = new Map([...pluginFiles(manifest, url), ...stubs])
  await writeScaffold(directory, files)
  const next = nextSteps(context, name, directory, url, options)
  if (options.json) return printJson(context, { ok: true, name, directory, files: [...files.keys()], next })
  printLine(context, `${paint(context, 'green', 'made:')} ${shownPath(context, directory)}`)
  for (const path of files.keys()) if (!path.startsWith('.luals/')) printLine(context, `  ${path}`)
  if (stubs.size === 0) printNote(context, 'there are no editor stubs to copy in this installation')
  printLine(context, 'next:')
  for (const step of next) printLine(context, `  ${step}`)
}

interface ManifestTexts {
  readonly version: string
  readonly description: string
  readonly author: string
  readonly license: string
}

/** Takes what the options give, and asks for the rest where a person is there to answer. */
async function complete(context: CommandContext, options: InitOptions): Promise<ManifestTexts> {
  const field = async (given: string | undefined, label: string, fallback: string): Promise<string> => {
    if (given !== undefined) return given.trim()
    if (!context.terminal.interactive) return fallback
    const answer = await context.terminal.ask(fallback === '' ? `${label}: ` : `${label} [${fallback}]: `)
    return answer.trim() || fallback
  }
  const texts = {
    version: await field(options.version, 'Version', '0.1.0'),
    description: await field(options.description, 'Description', ''),
    author: await field(options.author, 'Author (may stay empty)', ''),
    license: await field(options.license, 'License', 'MIT'),
  }
  for (const key of ['version', 'description'] as const) {
    if (texts[key] !== '') continue
    const message = `a plugin needs a ${key}: pass --${key} "..."`
    throw new CliError(exitCodes.usage, 'MANIFEST_INCOMPLETE', message)
  }
  return texts
}

function nextSteps(
  context: CommandContext,
  name: string,
  directory: string,
  url: string,
  options: InitOptions,
): readonly string[] {
  // npx runs the command of a project that has no global one.
  const command = context.environment.npm_command === 'exec' ? 'npx modulacms' : 'modulacms'
  const flags = [
    ...(options.config === undefined ? [] : [`--config ${options.config}`]),
    ...(options.plugins === undefined ? [] : [`--plugins ${options.plugins}`]),
  ].map((flag) => ` ${flag}`)
  return [
    `${command} plugin validate ${shownPath(context, directory)}`,
    `${command} serve${flags.join('')}        # or, when the server runs: ${command} plugin reload ${name}`,
    `${command} plugin approve ${name} --all-routes`,
    `curl ${url}/api/v1/plugins/${name}/notes`,
  ]
}
