import type { Command } from 'commander'
import type {
  PolicyConditionResult,
  PolicyContext,
  PolicyDecision,
  PolicyExplanation,
} from '../../sdk/client/index.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { paint, printable, printJson, printLine } from '../output.js'
import { readDocument } from '../policies/policy-input.js'
import { finishServerCommand } from '../server-command.js'

interface TryOptions extends ServerOptions {
  readonly context?: string
  readonly subject?: string
  readonly role?: readonly string[]
  readonly group?: readonly string[]
  readonly tenant?: string
  readonly path?: string
  readonly type?: string
  readonly id?: string
  readonly app?: string
  readonly method?: string
  readonly operation?: string
  readonly ip?: string
  readonly time?: string
  readonly all?: boolean
}

/** Adds `policy evaluate` and `policy explain`. */
export function addTryingCommands(parent: Command, context: CommandContext): void {
  finishServerCommand<TryOptions>({
    command: withContext(
      parent
        .command('evaluate')
        .description('Decide about something. Nothing is changed, and nothing is done.'),
    ),
    context,
    examples: [
      'policy evaluate --subject u7 --role editor --path /docs/a --method GET',
      'policy evaluate --context request.json --json',
    ],
    run: async ({ policies }, options) => {
      const decision = await policies.evaluate(await contextOf(context, options))
      if (options.json) printJson(context, decision)
      else printDecision(context, decision)
    },
  })
  finishServerCommand<TryOptions>({
    command: withContext(
      parent.command('explain').description('Decide about something, and tell which policy decided and why.'),
    ).option('--all', 'policies that do not match as well'),
    context,
    examples: ['policy explain --subject u7 --role editor --path /docs/a --time 2026-03-04T23:00:00Z'],
    run: async ({ policies }, options) => {
      const explanation = await policies.explain(await contextOf(context, options))
      if (options.json) printJson(context, explanation)
      else printExplanation(context, explanation, options.all === true)
    },
  })
}

function withContext(command: Command): Command {
  return command
    .option('--context <file>', 'JSON of what it is about, - for standard input; options go before it')
    .option('--subject <id>', 'who; nobody that is known when it is missing')
    .option('--role <roles...>', 'their roles')
    .option('--group <groups...>', 'their groups')
    .option('--tenant <tenant>', 'their tenant')
    .option('--path <path>', 'path, as the router reads it')
    .option('--type <type>', 'type of the resource')
    .option('--id <id>', 'id of the resource')
    .option('--app <name>', 'plugin whose route it is')
    .option('--method <method>', 'HTTP method')
    .option('--operation <operation>', 'what is done, e.g. view, create, update, delete')
    .option('--ip <address>', 'address of the client')
    .option('--time <time>', 'RFC 3339; now when it is missing')
}

async function contextOf(context: CommandContext, options: TryOptions): Promise<PolicyContext> {
  const given: PolicyContext =
    options.context === undefined ? {} : await readDocument(context, options.context)
  const { subject: who, role: roles, group: groups, tenant, path, type, id, app } = options
  const { method, operation, ip, time } = options
  return {
    ...given,
    ...part('subject', given.subject, { id: who, roles, groups, tenant }),
    ...part('resource', given.resource, { path, type, id, app }),
    ...part('action', given.action, { method, operation }),
    ...part('environment', given.environment, { ip, time }),
  }
}

/** A part of the context with what the options say of it; nothing when nothing is said. */
function part(name: string, given: object | undefined, said: object): object {
  const members = Object.entries(said).filter(([, value]) => value !== undefined)
  if (members.length === 0) return given === undefined ? {} : { [name]: given }
  return { [name]: { ...given, ...Object.fromEntries(members) } }
}

function printDecision(
  context: CommandContext,
  { effect, decidedBy, reason, failure }: PolicyDecision,
): void {
  const by = decidedBy === undefined ? '' : ` (${decidedBy})`
  const told = paint(context, effect === 'permit' ? 'green' : 'red', effect)
  printLine(context, `${told}: ${printable(`${reason}${by}`)}`)
  if (failure !== undefined) printLine(context, `  ${printable(failure)}`)
}

function printExplanation(
  context: CommandContext,
  { decision, policies, combining }: PolicyExplanation,
  isAll: boolean,
): void {
  printDecision(context, decision)
  printLine(context, `  ${printable(combining.conclusion)}`)
  const shown = policies.filter(
    ({ effect, conditions }) => isAll || effect !== 'notApplicable' || conditions.length > 0,
  )
  for (const { id, effect, matched, conditions, decided, enabled } of shown) {
    const off = enabled ? '' : ' (off)'
    printLine(context, printable(`${decided ? '>' : '-'} ${id}: ${effect}${off}`))
    const unmatched = Object.entries(matched).filter(([, truth]) => truth !== true)
    if (unmatched.length > 0) {
      printLine(context, `    ${unmatched.map(([name, truth]) => `${name}: ${truth}`).join(', ')}`)
    }
    for (const condition of conditions) printCondition(context, condition, '    ')
  }
}

function printCondition(
  context: CommandContext,
  { type, result, reason, conditions = [] }: PolicyConditionResult,
  margin: string,
): void {
  printLine(context, `${margin}${printable(`${type}: ${result}, ${reason}`)}`)
  for (const inner of conditions) printCondition(context, inner, `${margin}  `)
}
