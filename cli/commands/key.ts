import { type Command, Option } from 'commander'
import type { ApiKey, ApiKeyFields } from '../../sdk/client/index.js'
import { listCell, printTable, readList } from '../accounts/account-words.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { printJson, printLine, printNote } from '../output.js'
import { finishServerCommand, printDone } from '../server-command.js'

/** Adds `key` with what can be done about API keys. */
export function addKeyCommand(program: Command, context: CommandContext): void {
  const key = program
    .command('key')
    .summary('make and revoke API keys')
    .description('Make and revoke API keys, which programs send as X-API-Key.')
  addList(key, context)
  addCreate(key, context)
  addRevoke(key, context)
}

interface ListOptions extends ServerOptions {
  readonly owner?: string
  readonly all?: boolean
  readonly cursor?: string
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand<ListOptions>({
    command: parent
      .command('list')
      .description('List API keys that are in force.')
      .option('--owner <user>', 'only those of this user')
      .option('--all', 'also those that are revoked or over')
      .option('--cursor <text>', 'the page that this belongs to'),
    context,
    examples: ['key list --owner ann'],
    run: async (client, options) => {
      const { owner, all, cursor } = options
      const answer = await client.keys.list({
        inForce: all !== true,
        ...(owner !== undefined && { owner }),
        ...(cursor !== undefined && { cursor }),
      })
      printTable(context, options, {
        answer,
        heading: ['ID', 'NAME', 'STATE', 'ROLES', 'PERMISSIONS', 'OWNER', 'ENDS', 'LAST USED'],
        rows: answer.keys.map(toRow),
        empty: 'there is no such key',
      })
      if (answer.next_cursor !== undefined) printNote(context, `more with --cursor ${answer.next_cursor}`)
    },
  })
}

function toRow(key: ApiKey): readonly string[] {
  return [
    key.id,
    key.name,
    key.revoked_at === undefined ? 'active' : 'revoked',
    listCell(key.roles),
    listCell(key.permissions),
    key.owner_id ?? '-',
    key.expires_at ?? 'never',
    key.last_used_at ?? 'never',
  ]
}

interface CreateOptions extends ServerOptions {
  readonly owner?: string
  readonly roles?: string
  readonly permissions?: string
  readonly tenant?: string
  readonly expires?: string
  readonly kind?: 'key' | 'service'
}

function addCreate(parent: Command, context: CommandContext): void {
  finishServerCommand<CreateOptions>({
    command: parent
      .command('create')
      .argument('<name>', 'what it is called')
      .description('Make an API key and print it, once: nobody can show it again.')
      .option('--owner <user>', 'user that it goes with: it never does more than they may')
      .option('--roles <names>', 'roles, with commas between them')
      .option('--permissions <names>', 'permissions, with commas between them, e.g. content:read')
      .option('--tenant <name>', 'whose data it may see')
      .option('--expires <time>', 'when it ends, e.g. 2031-01-31T12:00:00Z')
      .addOption(new Option('--kind <kind>', 'for programs or for a service').choices(['key', 'service'])),
    context,
    examples: ['key create backup --permissions content:read --expires 2031-01-31T12:00:00Z'],
    run: async (client, options, [name = '']) => {
      const { owner, roles, permissions, tenant, expires, kind } = options
      const fields: ApiKeyFields = {
        name,
        ...(owner !== undefined && { owner }),
        ...(roles !== undefined && { roles: readList(roles) }),
        ...(permissions !== undefined && { permissions: readList(permissions) }),
        ...(tenant !== undefined && { tenant }),
        ...(expires !== undefined && { expires_at: expires }),
        ...(kind !== undefined && { kind }),
      }
      const issued = await client.keys.create(fields)
      if (options.json) return printJson(context, issued)
      printNote(context, `the key ${issued.id}; it is shown this once:`)
      printLine(context, issued.key)
    },
  })
}

function addRevoke(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('revoke')
      .argument('<id>', 'id of the key')
      .description('Revoke an API key, for good.'),
    context,
    examples: ['key revoke 3Fh2kQ9sLx0a'],
    run: async (client, options, [id = '']) => {
      const key = await client.keys.revoke(id)
      printDone(context, options, key, `${key.id} (${key.name}) is revoked`)
    },
  })
}
