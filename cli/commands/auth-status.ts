import type { Command } from 'commander'
import type { AuthAccess, AuthParty, AuthRule, AuthStatus } from '../../sdk/client/index.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { formatTable, paint, printable, printJson, printLine } from '../output.js'

/** Adds `auth status`. */
export function addAuthStatusCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('status')
    .summary('show the rules in their order, and whom they name')
    .description(
      'Show the rules in their order, who is asked where none holds, who of those is not ready, and what may not have been meant.',
    )
  addServerOptions(command)
    .addHelpText('after', '\nExamples:\n  $ modulacms auth status\n  $ modulacms auth status --json')
    .action(async (options: ServerOptions) => {
      const { client } = await connect(context, options)
      const status = await client.auth.status()
      if (options.json) printJson(context, status)
      else printStatus(context, status)
    })
}

function printStatus(context: CommandContext, status: AuthStatus): void {
  const { rules, default: fallback, operations, authenticators, authorizers, warnings } = status
  const heading = ['RULE', 'METHODS', 'PATHS', 'ASKS', 'AND']
  printLine(
    context,
    formatTable(heading, [
      ...rules.map(ruleRow),
      ['default', 'all', 'all others', whoIsAsked(fallback), moreOf(fallback)],
      ['operations', 'all', "the server's own", whoIsAsked(operations), moreOf(operations)],
    ]),
  )
  printLine(context, '')
  printLine(context, `authenticators: ${printable(authenticators.map(partyText).join(', '))}`)
  printLine(context, `authorizers:    ${printable(authorizers.map(partyText).join(', '))}`)
  for (const warning of warnings) {
    printLine(context, `${paint(context, 'yellow', 'warning:')} ${printable(warning)}`)
  }
}

function ruleRow(rule: AuthRule): readonly string[] {
  const { at, methods, paths } = rule
  return [String(at), methods?.join(',') ?? 'all', paths.join(' '), whoIsAsked(rule), moreOf(rule)]
}

/** Says who tells who sends a request. */
export function whoIsAsked({ public: isPublic, authenticators, strangers }: AuthAccess): string {
  if (isPublic) return 'nobody: public'
  const names = authenticators.join(', ')
  return strangers === 'pass' ? `${names}; strangers pass` : names
}

function moreOf(access: AuthAccess & Partial<AuthRule>): string {
  const { authorizers, roles, permissions, tenant, shadowed_by: shadowedBy = [] } = access
  const named = authorizers.filter((name) => name !== 'roles' && name !== 'permissions')
  return [
    ...named,
    ...(roles ? [`role ${roles.join(' or ')}`] : []),
    ...(permissions ? [`permission ${permissions.join(', ')}`] : []),
    ...(tenant === undefined ? [] : [`tenant from ${tenant}`]),
    ...(shadowedBy.length === 0 ? [] : [`never: behind rule ${shadowedBy.join(', ')}`]),
  ].join('; ')
}

function partyText({ name, type, plugin, state }: AuthParty): string {
  const kind = plugin === undefined ? (type === name ? '' : type) : `plugin ${plugin}`
  const facts = [kind, state === 'ready' ? '' : state].filter(Boolean)
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`
}
