import { open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { KvList } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { formatEntryLine } from '../kv/entry-lines.js'
import { keyHelp, parsePrefix } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseWhere } from '../kv/value-words.js'
import { printable, printJson, printNote } from '../output.js'

const help = `${keyHelp}
Each entry becomes a line of JSON, {"key":[...],"value":...}, which \`modulacms kv import\` reads. The entries are read one
after the other, not at one moment. When they expire is not part of them. A file is put in its place when it is complete.

Examples:
  $ modulacms kv export backup.jsonl --namespace plugin:task_tracker
  $ modulacms kv export --prefix users | gzip > users.jsonl.gz`

interface ExportOptions extends KvCommandOptions {
  readonly prefix?: string
  readonly where?: string
}

/** Entries of one request. */
const batch = 500

/** Adds `kv export`. */
export function addExportCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('export')
    .argument('[file]', 'file to write; standard output without it')
    .summary('write entries as lines of JSON')
    .description('Write the entries below a prefix as lines of JSON.')
    .option('-p, --prefix <key>', 'beginning of the keys; all without it')
    .option('--where <filter>', 'only entries whose value matches, a JSON object')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((file: string | undefined, options: ExportOptions) => exportEntries(context, file, options))
}

async function exportEntries(
  context: CommandContext,
  file: string | undefined,
  options: ExportOptions,
): Promise<void> {
  const prefix = parsePrefix(options.prefix ?? '')
  const where = options.where === undefined ? {} : { where: parseWhere(options.where) }
  const kv = await connectKv(context, options)
  const list = kv.list({ prefix }, { batch, ...where })
  const path = file === undefined || file === '-' ? undefined : resolve(context.workingDirectory, file)
  const entries =
    path === undefined
      ? await writeEntries(list, (text) => context.terminal.stream(text))
      : await writeFileOf(list, path)
  if (options.json && path !== undefined) return printJson(context, { entries, file: path })
  const place = path === undefined ? '' : ` to ${path}`
  printNote(
    context,
    printable(`exported: ${entries} ${entries === 1 ? 'entry' : 'entries'} of ${kv.namespace}${place}`),
  )
}

async function writeFileOf(list: KvList, path: string): Promise<number> {
  const partial = `${path}.partial`
  const handle = await open(partial, 'w').catch((thrown: Error) => {
    const message = `${path} cannot be written: ${thrown.message}`
    throw new CliError(exitCodes.failure, 'FILE_NOT_WRITABLE', message)
  })
  try {
    const entries = await writeEntries(list, async (text) => void (await handle.write(text)))
    await handle.sync()
    await handle.close()
    await rename(partial, path)
    return entries
  } catch (thrown) {
    await handle.close().catch(() => {})
    await rm(partial, { force: true })
    throw thrown
  }
}

async function writeEntries(list: KvList, write: (text: string) => Promise<void>): Promise<number> {
  let entries = 0
  let lines: string[] = []
  for await (const entry of list) {
    lines.push(formatEntryLine(entry))
    entries += 1
    if (lines.length < batch) continue
    await write(lines.join(''))
    lines = []
  }
  await write(lines.join(''))
  return entries
}
