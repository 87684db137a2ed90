import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { ClientError, type Kv } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { type EntryLine, readEntryLines } from '../kv/entry-lines.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { paint, printJson, printLine, printNote } from '../output.js'

const help = `
Reads what \`modulacms kv export\` writes: a line of JSON for each entry, {"key":[...],"value":...}. Entries that there are
already are overwritten, all others stay. Many lines are written at once, either all of them or none; when one is refused,
those before it have been written, and running the import again does no harm.

Examples:
  $ modulacms kv import backup.jsonl --namespace shared:staging
  $ gunzip -c users.jsonl.gz | modulacms kv import -
  $ modulacms kv import backup.jsonl --dry-run`

interface ImportOptions extends KvCommandOptions {
  readonly expiresIn?: string
  readonly dryRun?: boolean
}

/** What one commit holds at most: less than any server takes. */
const batchMax = { entries: 500, characters: 384 * 1024 } as const

/** Adds `kv import`. */
export function addImportCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('import')
    .argument('<file>', 'file to read, or - for standard input')
    .summary('read entries from lines of JSON')
    .description('Write the entries of a file with a line of JSON for each.')
    .option('--expires-in <duration>', 'time until all of these entries are gone; they stay without it')
    .option('--dry-run', 'read everything, and write nothing')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((file: string, options: ImportOptions) => importEntries(context, file, options))
}

interface Imported {
  entries: number
  commits: number
}

async function importEntries(context: CommandContext, file: string, options: ImportOptions): Promise<void> {
  const kv = await connectKv(context, options)
  const done: Imported = { entries: 0, commits: 0 }
  try {
    for await (const lines of inBatches(readEntryLines(readText(context, file)))) {
      if (!options.dryRun) await write(kv, lines, options)
      done.entries += lines.length
      done.commits += 1
    }
  } catch (thrown) {
    const written = options.dryRun ? 0 : done.entries
    printNote(context, `imported before the failure: ${written} entries`)
    throw thrown
  }
  if (options.json) return printJson(context, { ...done, dry_run: options.dryRun ?? false })
  const counts = `${done.entries} ${done.entries === 1 ? 'entry' : 'entries'} in ${done.commits} ${done.commits === 1 ? 'commit' : 'commits'}`
  if (options.dryRun) return printLine(context, `nothing was written (--dry-run): ${counts}`)
  printLine(context, `${paint(context, 'green', 'imported:')} ${counts} into ${kv.namespace}`)
}

async function write(kv: Kv, lines: readonly EntryLine[], { expiresIn }: ImportOptions): Promise<void> {
  const atomic = kv.atomic()
  try {
    for (const { key, value } of lines) atomic.set(key, value, expiresIn === undefined ? {} : { expiresIn })
    await atomic.commit()
  } catch (thrown) {
    if (!(thrown instanceof ClientError)) throw thrown
    throw withLines(thrown, lines)
  }
}

/** Tells where the entries stand of a commit that was refused. */
function withLines(error: ClientError, lines: readonly EntryLine[]): ClientError {
  const first = lines[0]?.line ?? 0
  const last = lines.at(-1)?.line ?? first
  const { status, code, message, cause } = error
  return new ClientError({ status, code, message: `lines ${first} to ${last}: ${message}`, cause })
}

async function* inBatches(lines: AsyncIterable<EntryLine>): AsyncGenerator<readonly EntryLine[]> {
  let batch: EntryLine[] = []
  let characters = 0
  for await (const line of lines) {
    const isFull = batch.length === batchMax.entries || characters + line.characters > batchMax.characters
    if (isFull && batch.length > 0) {
      yield batch
      batch = []
      characters = 0
    }
    batch.push(line)
    characters += line.characters
  }
  if (batch.length > 0) yield batch
}

async function* readText(context: CommandContext, file: string): AsyncGenerator<string> {
  if (file === '-') {
    yield* context.terminal.input()
    return
  }
  const path = resolve(context.workingDirectory, file)
  try {
    yield* createReadStream(path, 'utf8') as AsyncIterable<string>
  } catch (thrown) {
    throw toFileError(path, thrown)
  }
}

function toFileError(path: string, thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'ENOENT') {
    return new CliError(exitCodes.notFound, 'FILE_NOT_FOUND', `there is no file ${path}`)
  }
  if (typeof code !== 'string') return thrown
  return new CliError(exitCodes.failure, 'FILE_NOT_READABLE', `${path} cannot be read: ${code}`)
}
