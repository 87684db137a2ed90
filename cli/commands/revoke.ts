import type { Command } from 'commander'
import { addApprovalCommand } from '../approval.js'
import type { CommandContext } from '../context.js'

const help = `
Shows what will stop answering and asks first. In a script, where nobody can be asked, pass --yes. Selectors combine.

Examples:
  $ modulacms plugin revoke task_tracker --route "DELETE /tasks/{id}"
  $ modulacms plugin revoke task_tracker --all-routes --yes`

/** Adds `plugin revoke`. */
export function addRevokeCommand(parent: Command, context: CommandContext): void {
  addApprovalCommand(parent, context, {
    verb: 'revoke',
    done: 'revoked',
    summary: 'stop routes of a plugin from answering',
    description: 'Revoke the approval of routes. They answer 404 from that moment on.',
    help,
  })
}
