import { join } from 'node:path'
import type { Command } from 'commander'
import type { CommandContext, Finding, ValidationReport } from '../context.js'
import { formatTable, printJson, printLine, printNote } from '../output.js'
import { findPluginFolders, shownPath, validateFolder, withValidator } from '../plugin-folders.js'
import { loadSettings } from '../settings.js'

interface ListOptions {
  readonly config?: string
  readonly plugins?: string
  readonly json?: boolean
}

/** One folder of the plugin directory as the list shows it. */
interface ListedPlugin {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly description: string
  readonly valid: boolean
  readonly errors: readonly Finding[]
}

const help = `
Reads the folders and runs each plugin's init.lua in the sandbox without any effect; needs no server. What a running
server thinks of a plugin is shown by \`modulacms plugin info NAME\`.

Example:
  $ modulacms plugin list --json`

/** Adds `plugin list`. */
export function addListCommand(parent: Command, context: CommandContext): void {
  parent
    .command('list')
    .summary('list the plugins on disk (offline)')
    .description('List the plugins of the plugin directory, and say of the broken ones why they are.')
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--plugins <dir>', 'plugin directory')
    .option('--json', 'print the list as JSON')
    .addHelpText('after', help)
    .action((options: ListOptions) => list(context, options))
}

async function list(context: CommandContext, options: ListOptions): Promise<void> {
  const { pluginDirectory } = loadSettings(context, options)
  const folders = await findPluginFolders(pluginDirectory)
  const plugins = folders.length === 0 ? [] : await readPlugins(context, pluginDirectory, folders)
  if (options.json) return printJson(context, plugins.map(toJson))
  if (plugins.length === 0) {
    const place = shownPath(context, pluginDirectory)
    printNote(context, `there is no plugin in ${place}; make one with \`modulacms plugin init NAME\``)
    return
  }
  printLine(context, formatTable(['NAME', 'VERSION', 'DESCRIPTION'], plugins.map(toRow)))
}

async function readPlugins(
  context: CommandContext,
  directory: string,
  folders: readonly string[],
): Promise<readonly ListedPlugin[]> {
  return await withValidator(context, async (validator) => {
    const plugins: ListedPlugin[] = []
    for (const folder of folders) {
      const listed = toListed(folder, await validateFolder(validator, join(directory, folder)))
      const twin = plugins.find(({ name, valid }) => valid && listed.valid && name === listed.name)
      plugins.push(twin === undefined ? listed : asTwin(listed, twin))
    }
    return plugins
  })
}

function toListed(folder: string, report: ValidationReport): ListedPlugin {
  const { name = folder, version = '', description = '', errors } = report
  return { folder, name, version, description, valid: errors.length === 0, errors }
}

/** Of two folders with one name the server loads the first. */
function asTwin(listed: ListedPlugin, first: ListedPlugin): ListedPlugin {
  const message = `the name "${listed.name}" is taken by the folder ${first.folder}, which is loaded instead`
  return { ...listed, valid: false, errors: [{ field: 'plugin_info.name', message }] }
}

function toRow({ folder, name, version, description, valid, errors }: ListedPlugin): readonly string[] {
  if (valid) return [name, version, description]
  return [
    `${folder} [invalid]`,
    version,
    errors.map(({ field, message }) => `[${field}] ${message}`).join('; '),
  ]
}

function toJson({ name, version, description, valid, errors }: ListedPlugin): object {
  return { name, version, description, valid, errors }
}
