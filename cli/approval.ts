import { type Command, InvalidArgumentError } from 'commander'
import type { RouteListing } from '../sdk/client/index.js'
import { CliError } from './cli-error.js'
import { confirm } from './confirm.js'
import { addServerOptions, type Connection, connect, type ServerOptions } from './connection.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { paint, printable, printJson, printLine, printNote } from './output.js'

/** `approve` or `revoke`, which differ in little more than words. */
export interface ApprovalCommand {
  readonly verb: 'approve' | 'revoke'
  /** Past participle, also the key of the JSON result. */
  readonly done: 'approved' | 'revoked'
  readonly summary: string
  readonly description: string
  readonly help: string
}

interface ApprovalOptions extends ServerOptions {
  readonly route?: readonly string[]
  readonly allRoutes?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** Adds one of the two to `plugin`. */
export function addApprovalCommand(parent: Command, context: CommandContext, command: ApprovalCommand): void {
  const { verb, summary, description, help } = command
  const added = parent
    .command(verb)
    .argument('<name>', 'name of the plugin')
    .summary(summary)
    .description(description)
    .option('--route <"METHOD /path">', 'one route; may be given several times', collectRoute)
    .option('--all-routes', 'all routes of the plugin')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would be done, and do nothing')
  addServerOptions(added)
    .addHelpText('after', help)
    .action((name: string, options: ApprovalOptions) => run(context, command, name, options))
}

/** Reads `get /tasks` as `GET /tasks`. */
function collectRoute(text: string, collected: readonly string[] = []): readonly string[] {
  const [, method, path] = /^\s*([A-Za-z]+)\s+(\/\S*)\s*$/.exec(text) ?? []
  if (method === undefined || path === undefined) {
    throw new InvalidArgumentError('It must be a method and a path, e.g. "GET /tasks".')
  }
  return [...collected, `${method.toUpperCase()} ${path}`]
}

async function run(
  context: CommandContext,
  command: ApprovalCommand,
  name: string,
  options: ApprovalOptions,
): Promise<void> {
  if (options.route === undefined && !options.allRoutes) {
    const message = `nothing is selected: give --route "METHOD /path" (several times if need be) or --all-routes`
    throw new CliError(exitCodes.usage, 'NO_SELECTION', message)
  }
  const connection = await connect(context, options)
  const selected = select(name, options, await listRoutes(connection, name))
  const changed = selected.filter(({ approved }) => approved !== (command.verb === 'approve'))
  if (changed.length > 0) printPlan(context, command, changed)
  const applied = changed.length > 0 && !options.dryRun
  if (applied) await apply(context, connection, command, changed, options)
  if (options.json) printJson(context, toJson(command, name, applied ? changed : [], options))
  else if (applied) printChanges(context, command, connection, changed)
  else if (changed.length > 0) printLine(context, 'nothing was changed (--dry-run)')
  else printLine(context, `nothing to do: every selected route is ${command.done} already`)
}

async function listRoutes({ client }: Connection, name: string): Promise<readonly RouteListing[]> {
  const routes = (await client.routes.list()).filter(({ plugin }) => plugin === name)
  // Tells a plugin without routes from one that does not exist.
  if (routes.length === 0) await client.plugins.get(name)
  return routes
}

function select(
  name: string,
  options: ApprovalOptions,
  routes: readonly RouteListing[],
): readonly RouteListing[] {
  const known = new Set(routes.map(keyOf))
  const unknown = (options.route ?? []).filter((route) => !known.has(route))
  if (unknown.length > 0) {
    const has = routes.length === 0 ? 'it has no routes' : `it has ${[...known].join(', ')}`
    const message = `nothing was changed: ${name} has no route ${unknown.join(', ')}; ${has}`
    throw new CliError(exitCodes.notFound, 'ROUTE_NOT_FOUND', message)
  }
  return routes.filter((route) => options.allRoutes || options.route?.includes(keyOf(route)))
}

function keyOf({ method, path }: RouteListing): string {
  return `${method} ${path}`
}

function printPlan(
  context: CommandContext,
  { verb }: ApprovalCommand,
  routes: readonly RouteListing[],
): void {
  const [first] = routes
  if (first === undefined) return
  printNote(context, `To ${verb} for ${printable(`${first.plugin} ${first.plugin_version}`)}:`)
  for (const { method, path, public: isPublic } of routes) {
    const access = isPublic ? paint(context, 'yellow', 'public: answers anyone') : 'needs a credential'
    printNote(context, `  ${printable(`${method.padEnd(6)} ${path}`)}  (${access})`)
  }
}

/**
 * Asks, then changes the routes.
 *
 * @throws CliError `DECLINED` when the person said no.
 */
async function apply(
  context: CommandContext,
  { client }: Connection,
  { verb }: ApprovalCommand,
  routes: readonly RouteListing[],
  options: ApprovalOptions,
): Promise<void> {
  const count = routes.length === 1 ? 'this route' : `these ${routes.length} routes`
  const question = `${verb === 'approve' ? 'Approve' : 'Revoke'} ${count}?`
  if (!(await confirm(context, question, options.yes ?? false))) {
    throw new CliError(exitCodes.failure, 'DECLINED', 'nothing was changed')
  }
  await client.routes[verb](routes)
}

function printChanges(
  context: CommandContext,
  { done }: ApprovalCommand,
  { url }: Connection,
  routes: readonly RouteListing[],
): void {
  for (const { plugin, method, path } of routes) {
    const target = printable(`${method} ${url}/api/v1/plugins/${plugin}${path}`)
    printLine(context, `${paint(context, 'green', `${done}:`)} ${target}`)
  }
}

function toJson(
  { done }: ApprovalCommand,
  plugin: string,
  routes: readonly RouteListing[],
  { dryRun = false }: ApprovalOptions,
): object {
  const changed = routes.map(({ method, path, public: isPublic }) => ({ method, path, public: isPublic }))
  return { ok: true, plugin, dry_run: dryRun, [done]: changed }
}
