import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addLifecycleCommand } from '../lifecycle.js'

/** Adds `plugin enable`. */
export function addEnableCommand(parent: Command, context: CommandContext): void {
  addLifecycleCommand(parent, context, {
    verb: 'enable',
    done: 'enabled and running',
    summary: 'start a disabled or failed plugin',
    description:
      'Start a plugin: reset its circuit breaker, lift its quarantine and load it. It stays enabled over restarts of the server.',
  })
}
