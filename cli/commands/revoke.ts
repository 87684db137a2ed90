import type { Command } from 'commander'
import { addApprovalCommand } from '../approval.js'
import type { CommandContext } from '../context.js'

const help = `
Shows what will stop working and asks first. In a script, where nobody can be asked, pass --yes. Selectors combine.

Examples:
  $ modulacms plugin revoke task_tracker --route "DELETE /tasks/{id}"
  $ modulacms plugin revoke task_tracker --domain api.example.com --core content_data:write
  $ modulacms plugin revoke task_tracker --all --yes`

/** Adds `plugin revoke`. */
export function addRevokeCommand(parent: Command, context: CommandContext): void {
  addApprovalCommand(parent, context, {
    verb: 'revoke',
    done: 'revoked',
    summary: 'take away what a plugin was approved for',
    description:
      'Revoke the approval of routes, hooks, domains, core tables, shared namespaces, stages or access to the gateway. From that moment on the routes answer 404, the hooks and stages do not run, the rest is refused.',
    help,
  })
}
