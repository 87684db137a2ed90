import type { Command } from 'commander'
import { listCell, printTable, readList } from '../accounts/account-words.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { finishServerCommand, printDone } from '../server-command.js'

/** Adds `role` with what can be done about roles. */
export function addRoleCommand(program: Command, context: CommandContext): void {
  const role = program
    .command('role')
    .summary('say what roles permit')
    .description('Say what roles permit in the administration.')
  addList(role, context)
  addSet(role, context)
  addDelete(role, context)
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('list').description('List roles and what they permit.'),
    context,
    examples: ['role list'],
    run: async (client, options) => {
      const roles = await client.roles.list()
      printTable(context, options, {
        answer: { roles },
        heading: ['NAME', 'SOURCE', 'PERMISSIONS', 'DESCRIPTION'],
        rows: roles.map(({ name, source, shadowed, permissions, description }) => [
          name,
          shadowed ? `${source} (counts for nothing)` : source,
          listCell(permissions),
          description,
        ]),
        empty: 'there is no role',
      })
    },
  })
}

interface SetOptions extends ServerOptions {
  readonly description?: string
}

function addSet(parent: Command, context: CommandContext): void {
  finishServerCommand<SetOptions>({
    command: parent
      .command('set')
      .argument('<name>', 'name of the role')
      .argument(
        '<permissions>',
        'permissions, with commas between them, e.g. "content:*,kv:read"; empty for none',
      )
      .description('Define a role, or change it.')
      .option('--description <text>', 'what it is for'),
    context,
    examples: ['role set editor content:read,content:write'],
    run: async (client, options, [name = '', permissions = '']) => {
      const role = await client.roles.put(name, readList(permissions), options.description)
      printDone(context, options, role, `${role.name} permits ${listCell(role.permissions)}`)
    },
  })
}

function addDelete(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('delete')
      .argument('<name>', 'name of the role')
      .description('Delete a role that nobody has.'),
    context,
    examples: ['role delete editor'],
    run: async (client, options, [name = '']) => {
      await client.roles.delete(name)
      printDone(context, options, { ok: true }, `${name} is deleted`)
    },
  })
}
