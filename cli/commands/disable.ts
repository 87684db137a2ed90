import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addLifecycleCommand } from '../lifecycle.js'

/** Adds `plugin disable`. */
export function addDisableCommand(parent: Command, context: CommandContext): void {
  addLifecycleCommand(parent, context, {
    verb: 'disable',
    done: 'disabled',
    summary: 'stop a plugin',
    description: 'Stop a plugin. It stays stopped over restarts of the server until it is enabled.',
  })
}
