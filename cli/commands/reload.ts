import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addLifecycleCommand } from '../lifecycle.js'

/** Adds `plugin reload`. */
export function addReloadCommand(parent: Command, context: CommandContext): void {
  addLifecycleCommand(parent, context, {
    verb: 'reload',
    done: 'reloaded',
    summary: "load a plugin's files again",
    description:
      "Load a plugin's files again without failing a request. When they cannot be loaded, the version before keeps serving. Also loads a folder that was added after the server's start.",
  })
}
