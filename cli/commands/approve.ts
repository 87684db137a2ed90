import type { Command } from 'commander'
import { addApprovalCommand } from '../approval.js'
import type { CommandContext } from '../context.js'

const help = `
Shows all that is selected and asks once before it approves. In a script, where nobody can be asked, pass --yes.
Selectors combine. What is approved is what was shown: when the plugin has been loaded with another source meanwhile,
nothing is. An approval ends when the plugin's version changes, and for a route that becomes public.

Examples:
  $ modulacms plugin approve task_tracker --all-routes
  $ modulacms plugin approve task_tracker --route "GET /tasks" --route "POST /tasks" --yes
  $ modulacms plugin approve task_tracker --all-routes --hook before_create:content_data --domain api.example.com
  $ modulacms plugin approve task_tracker --core content_data:read --kv config:read
  $ modulacms plugin approve task_tracker --all-stages --gateway log:read
  $ modulacms plugin approve task_tracker --all`

/** Adds `plugin approve`. */
export function addApproveCommand(parent: Command, context: CommandContext): void {
  addApprovalCommand(parent, context, {
    verb: 'approve',
    done: 'approved',
    summary: 'let a plugin do what it asks for',
    description:
      'Approve routes, hooks, domains of outbound requests, core tables, shared key-value namespaces, stages, or access to the gateway of a plugin. None of them works before.',
    help,
  })
}
