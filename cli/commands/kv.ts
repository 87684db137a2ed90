import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { formatExitCodes } from '../exit-codes.js'
import { addCountCommand } from './kv-count.js'
import { addDeadLettersCommand } from './kv-dead-letters.js'
import { addDeleteCommand } from './kv-delete.js'
import { addEnqueueCommand } from './kv-enqueue.js'
import { addExportCommand } from './kv-export.js'
import { addGetCommand } from './kv-get.js'
import { addImportCommand } from './kv-import.js'
import { addListCommand } from './kv-list.js'
import { addNamespacesCommand } from './kv-namespaces.js'
import { addQueuesCommand } from './kv-queues.js'
import { addSetCommand } from './kv-set.js'
import { addWatchCommand } from './kv-watch.js'

const help = (): string => `
The commands talk to a running server, which they find through --url or the configuration, with the admin token of its
data directory. Each works in one namespace; --namespace names another one than shared:default.

Example:
  $ modulacms kv set users/42 '{"name":"Ada"}' --expires-in 30d
  $ modulacms kv list --prefix users
  $ modulacms kv export backup.jsonl --namespace plugin:task_tracker

${formatExitCodes()}`

/** Adds `kv` with its commands. */
export function addKvCommand(parent: Command, context: CommandContext): void {
  const kv = parent
    .command('kv')
    .summary('look into the key-value store, and change it')
    .description('Look into the key-value store of a server, and change it.')
    .addHelpText('after', help())
  addGetCommand(kv, context)
  addSetCommand(kv, context)
  addDeleteCommand(kv, context)
  addListCommand(kv, context)
  addCountCommand(kv, context)
  addWatchCommand(kv, context)
  addExportCommand(kv, context)
  addImportCommand(kv, context)
  addNamespacesCommand(kv, context)
  addQueuesCommand(kv, context)
  addEnqueueCommand(kv, context)
  addDeadLettersCommand(kv, context)
}
