import type { Command } from 'commander'
import type { Migration } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import { confirm } from '../confirm.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { describeMigration } from '../migration-lines.js'
import { paint, printable, printJson, printLine, printNote } from '../output.js'

const help = `
A plugin's migrations are applied when it is loaded; these commands look at them and step in. See docs/migrations.md.

Examples:
  $ modulacms plugin migrate status task_tracker
  $ modulacms plugin migrate up task_tracker
  $ modulacms plugin disable task_tracker && modulacms plugin migrate down task_tracker --to 20260131120000
  $ modulacms plugin migrate adopt task_tracker 20260131120000 --if-table tasks`

/** Adds `plugin migrate` with its commands. */
export function addMigrateCommand(parent: Command, context: CommandContext): void {
  const migrate = parent
    .command('migrate')
    .summary('look at the migrations of a plugin, apply and undo them')
    .description('Look at the migrations of a plugin, apply them, undo them, or record them as applied.')
    .addHelpText('after', help)
  addStatus(migrate, context)
  addUp(migrate, context)
  addDown(migrate, context)
  addAdopt(migrate, context)
}

function addStatus(parent: Command, context: CommandContext): void {
  const command = parent
    .command('status')
    .argument('<name>', 'name of the plugin')
    .summary('list the migrations and what is applied')
    .description('List the migrations of a plugin: applied, pending, edited since, or missing in its folder.')
  addServerOptions(command).action(async (name: string, options: ServerOptions) => {
    const { client } = await connect(context, options)
    const report = await client.migrations.list(name)
    if (options.json) return printJson(context, report)
    if (report.problem !== undefined) {
      printNote(context, `${paint(context, 'yellow', 'WARN')} ${printable(report.problem)}`)
    }
    if (report.migrations.length === 0) printNote(context, `${printable(name)} has no migrations`)
    for (const migration of report.migrations) printLine(context, printable(describeMigration(migration)))
  })
}

interface UpOptions extends ServerOptions {
  readonly to?: number
}

function addUp(parent: Command, context: CommandContext): void {
  const command = parent
    .command('up')
    .argument('<name>', 'name of the plugin')
    .summary('apply what is pending')
    .description('Apply the pending migrations of a plugin, without loading it.')
    .option('--to <version>', 'last version to apply; all without it', (text) => parseVersion(text, 1))
  addServerOptions(command).action(async (name: string, options: UpOptions) => {
    const { client } = await connect(context, options)
    const answer = await client.migrations.up(name, options.to)
    if (options.json) return printJson(context, answer)
    tell(context, name, 'applied', answer.applied)
  })
}

interface DownOptions extends ServerOptions {
  readonly to: number
  readonly yes?: boolean
}

function addDown(parent: Command, context: CommandContext): void {
  const command = parent
    .command('down')
    .argument('<name>', 'name of the plugin')
    .summary('undo migrations; the plugin must be disabled')
    .description(
      'Undo all migrations of a plugin above a version, the newest first. The plugin must be disabled: loading it would apply them again.',
    )
    .requiredOption('--to <version>', 'version that stays the newest; 0 undoes all', (text) =>
      parseVersion(text, 0),
    )
    .option('-y, --yes', 'do not ask')
  addServerOptions(command).action(async (name: string, options: DownOptions) => {
    const { client } = await connect(context, options)
    const { migrations } = await client.migrations.list(name)
    const undone = migrations.filter(({ version, state }) => version > options.to && state !== 'pending')
    const question = `Undo ${listVersions(undone)} of ${printable(name)}? What their tables and columns hold is lost.`
    if (undone.length > 0 && !(await confirm(context, question, options.yes === true))) {
      printNote(context, 'nothing was changed')
      return
    }
    const answer = await client.migrations.down(name, options.to)
    if (options.json) return printJson(context, answer)
    tell(context, name, 'undone', answer.reverted)
  })
}

function listVersions(migrations: readonly Migration[]): string {
  return migrations.map(({ version }) => version).join(', ')
}

interface AdoptOptions extends ServerOptions {
  readonly ifTable?: string
}

function addAdopt(parent: Command, context: CommandContext): void {
  const command = parent
    .command('adopt')
    .argument('<name>', 'name of the plugin')
    .argument('<version>', 'version of the migration', (text) => parseVersion(text, 1))
    .summary('record a migration as applied without running it')
    .description(
      'Record a migration as applied without running it: for tables that are there already, and for one that was edited after it was applied.',
    )
    .option('--if-table <table>', 'only when the plugin has this table in the database')
  addServerOptions(command).action(async (name: string, version: number, options: AdoptOptions) => {
    const { client } = await connect(context, options)
    const answer = await client.migrations.adopt(name, version, options.ifTable)
    if (options.json) return printJson(context, answer)
    const ends = {
      adopted: `migration ${version} is recorded as applied`,
      unchanged: `migration ${version} was recorded before`,
      table_missing: `there is no table ${options.ifTable}, so migration ${version} is not recorded`,
    }
    printLine(context, `${paint(context, 'green', 'ok:')} ${printable(ends[answer.result])}`)
  })
}

function parseVersion(text: string, minimum: number): number {
  const version = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (version >= minimum) return version
  throw new CliError(
    exitCodes.usage,
    'VERSION_INVALID',
    `"${printable(text)}" is no version; it is a number such as 20260131120000`,
  )
}

function tell(context: CommandContext, name: string, verb: string, versions: readonly number[]): void {
  const what = versions.length === 0 ? 'nothing to do' : `${verb} ${versions.join(', ')}`
  printLine(context, `${paint(context, 'green', 'ok:')} ${printable(name)}: ${what}`)
}
