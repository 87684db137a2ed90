import type { Command } from 'commander'
import { addApprovalCommand } from '../approval.js'
import type { CommandContext } from '../context.js'

const help = `
Shows what is asked for and asks before it approves. In a script, where nobody can be asked, pass --yes. Selectors
combine. An approval ends when the plugin's version changes, and for a route that becomes public.

Examples:
  $ modulacms plugin approve task_tracker --all-routes
  $ modulacms plugin approve task_tracker --route "GET /tasks" --route "POST /tasks" --yes`

/** Adds `plugin approve`. */
export function addApproveCommand(parent: Command, context: CommandContext): void {
  addApprovalCommand(parent, context, {
    verb: 'approve',
    done: 'approved',
    summary: 'let routes of a plugin answer',
    description: 'Approve routes of a plugin. A route answers only after it was approved.',
    help,
  })
}
