import { Command } from 'commander'
import { addApproveCommand } from './commands/approve.js'
import { addAuthCommand } from './commands/auth.js'
import { addConfigCommand } from './commands/config-check.js'
import { addDevCommand } from './commands/dev.js'
import { addDiffCommand } from './commands/diff.js'
import { addDisableCommand } from './commands/disable.js'
import { addEnableCommand } from './commands/enable.js'
import { addGatewayCommand } from './commands/gateway.js'
import { addInfoCommand } from './commands/info.js'
import { addInitCommand } from './commands/init.js'
import { addKeyCommand } from './commands/key.js'
import { addKvCommand } from './commands/kv.js'
import { addListCommand } from './commands/list.js'
import { addMigrateCommand } from './commands/migrate.js'
import { addPolicyCommand } from './commands/policy.js'
import { addReloadCommand } from './commands/reload.js'
import { addResetBreakerCommand } from './commands/reset-breaker.js'
import { addRevokeCommand } from './commands/revoke.js'
import { addRoleCommand } from './commands/role.js'
import { addServeCommand } from './commands/serve.js'
import { addTestCommand } from './commands/test.js'
import { addUserCommand } from './commands/user.js'
import { addValidateCommand } from './commands/validate.js'
import type { CliContext, CommandContext } from './context.js'
import { exitCodes, formatExitCodes } from './exit-codes.js'
import { reportFailure } from './failures.js'

const programHelp = (): string => `
Example, from nothing to a plugin that answers:
  $ modulacms plugin init guest_book --description "Visitors leave a line"
  $ modulacms serve
  $ modulacms plugin approve guest_book --all-routes        (in a second terminal)
  $ curl http://127.0.0.1:8080/api/v1/plugins/guest_book/notes

Environment:
  MODULACMS_URL          address of the server for the commands that talk to one
  MODULACMS_ADMIN_TOKEN  admin token; safer than --token, which other users of the machine can see
  MODULACMS__<KEY>       a key of the configuration, e.g. MODULACMS__SERVER__PORT=9090
  NO_COLOR               print without colours

${formatExitCodes()}`

const pluginHelp = (): string => `
list, init, validate and test work on folders and need no server. The others talk to a running server, which they find
through --url or the configuration, with the admin token of its data directory.

Example:
  $ modulacms plugin info task_tracker
  $ modulacms plugin diff task_tracker
  $ modulacms plugin approve task_tracker --route "GET /tasks" --route "POST /tasks"

${formatExitCodes()}`

/**
 * Builds the command with all its subcommands.
 *
 * @param json Whether usage errors are left to the caller, who reports them as JSON.
 */
export function createProgram(context: CommandContext, json: boolean): Command {
  const program = new Command('modulacms')
    .description('Serve sandboxed Lua plugins: drop in a folder, approve what it may touch.')
    .version(context.version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.writeOut(text),
      writeErr: (text) => (json ? undefined : context.terminal.writeError(text)),
    })
    .showHelpAfterError('(--help shows the options and an example)')
    .addHelpText('after', programHelp())
  addServeCommand(program, context)
  addDevCommand(program, context)
  const plugin = program
    .command('plugin')
    .summary('make, check and administer plugins')
    .description('Make, check and administer plugins.')
    .addHelpText('after', pluginHelp())
  addListCommand(plugin, context)
  addInitCommand(plugin, context)
  addValidateCommand(plugin, context)
  addTestCommand(plugin, context)
  addInfoCommand(plugin, context)
  addDiffCommand(plugin, context)
  addReloadCommand(plugin, context)
  addEnableCommand(plugin, context)
  addDisableCommand(plugin, context)
  addResetBreakerCommand(plugin, context)
  addApproveCommand(plugin, context)
  addRevokeCommand(plugin, context)
  addMigrateCommand(plugin, context)
  addConfigCommand(program, context)
  addKvCommand(program, context)
  addGatewayCommand(program, context)
  addPolicyCommand(program, context)
  addAuthCommand(program, context)
  addUserCommand(program, context)
  addKeyCommand(program, context)
  addRoleCommand(program, context)
  return program
}

/**
 * Runs one command line.
 *
 * @param words The command line without the names of Node and the script.
 * @returns The exit code; nothing is thrown.
 */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = exitCodes.success
  const setExitCode = (code: number) => {
    exitCode = code
  }
  const json = words.includes('--json')
  try {
    await createProgram({ ...context, setExitCode }, json).parseAsync(words, { from: 'user' })
    return exitCode
  } catch (thrown) {
    return reportFailure(context, thrown, json)
  }
}
