import { type Command, InvalidArgumentError } from 'commander'
import type { ApprovalItem, ApprovalKind } from '../sdk/client/index.js'
import { kindsOfItems } from './approval-items.js'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** Which items are meant; selectors combine. */
export interface SelectionOptions {
  readonly route?: readonly string[]
  readonly hook?: readonly string[]
  readonly domain?: readonly string[]
  readonly core?: readonly string[]
  readonly kv?: readonly string[]
  readonly stage?: readonly string[]
  readonly auth?: readonly string[]
  readonly gateway?: readonly string[]
  readonly allRoutes?: boolean
  readonly allHooks?: boolean
  readonly allDomains?: boolean
  readonly allCore?: boolean
  readonly allKv?: boolean
  readonly allStages?: boolean
  readonly allAuth?: boolean
  readonly allGateway?: boolean
  readonly all?: boolean
}

interface Selection {
  /** Keys that are named. */
  readonly named: readonly string[]
  readonly all: boolean
}

/** Adds the selectors to a command. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('--route <"METHOD /path">', 'one route; may be given several times', collect(parseRoute))
    .option(
      '--hook <event:table>',
      'the hooks of one event and table; may be given several times',
      collect(parseHook),
    )
    .option('--domain <host>', 'one domain; may be given several times', collect(parseDomain))
    .option(
      '--core <table:access>',
      'read or write of one core table; may be given several times',
      collect(parseCore),
    )
    .option(
      '--kv <namespace[:access]>',
      'read or write of one shared namespace, both without either; may be given several times',
      collect(parseKv),
    )
    .option(
      '--stage <key>',
      'one stage in front of all requests, by the key that "plugin diff" shows; may be given several times',
      collect(parseShownKey),
    )
    .option(
      '--auth <key>',
      'one authenticator or authorizer, by the key that "plugin diff" shows; may be given several times',
      collect(parseShownKey),
    )
    .option(
      '--gateway <access>',
      'log:read, stats:read or shell:write of the gateway; may be given several times',
      collect(parseGateway),
    )
    .option('--all-routes', 'all routes of the plugin')
    .option('--all-hooks', 'all hooks of the plugin')
    .option('--all-domains', 'all domains that it sends requests to')
    .option('--all-core', 'all core tables that it reads or writes')
    .option('--all-kv', 'all shared namespaces that it reads or writes')
    .option('--all-stages', 'all stages that see every request')
    .option('--all-auth', 'all that tell who sends requests, or who may do what')
    .option('--all-gateway', 'all that it reads or changes of the gateway')
    .option('--all', 'all of these')
}

/**
 * Makes sure that something is selected, before the server is asked.
 *
 * @throws CliError `NO_SELECTION`.
 */
export function assertSelection(options: SelectionOptions): void {
  const selections = kindsOfItems.map(({ kind }) => selectionOf(options, kind))
  if (selections.some(({ named, all }) => all || named.length > 0)) return
  const flags = kindsOfItems.map(({ allFlag }) => allFlag).join(', ')
  const message = `nothing is selected: give --route "METHOD /path", --hook event:table, --domain host, --core table:access, --kv namespace, --stage key or --gateway access (several times if need be), or ${flags} or --all`
  throw new CliError(exitCodes.usage, 'NO_SELECTION', message)
}

/**
 * Picks the selected items.
 *
 * @param items All that the plugin asks for.
 * @throws CliError when one that is named is not among them; nothing is selected then.
 */
export function selectItems(
  plugin: string,
  options: SelectionOptions,
  items: readonly ApprovalItem[],
): readonly ApprovalItem[] {
  const problems: string[] = []
  const selected = kindsOfItems.flatMap(({ kind, one, many }) => {
    const { named, all } = selectionOf(options, kind)
    const own = items.filter((item) => item.kind === kind)
    const unknown = named.filter((key) => !own.some((item) => isNamed(item, key)))
    if (unknown.length > 0) {
      const has =
        own.length === 0 ? `it asks for no ${many}` : `it has ${own.map(({ key }) => key).join(', ')}`
      problems.push(`${plugin} has no ${one} ${unknown.join(', ')}; ${has}`)
    }
    return own.filter((item) => all || named.some((key) => isNamed(item, key)))
  })
  if (problems.length === 0) return selected
  throw new CliError(exitCodes.notFound, 'ITEM_NOT_FOUND', `nothing was changed: ${problems.join('\n')}`)
}

/** A shared namespace without an access stands for all that the plugin asks for of it. */
function isNamed({ kind, key }: ApprovalItem, named: string): boolean {
  return key === named || (kind === 'kv' && key.startsWith(`${named}:`))
}

function selectionOf(options: SelectionOptions, kind: ApprovalKind): Selection {
  const all = options.all === true
  switch (kind) {
    case 'route':
      return { named: options.route ?? [], all: all || options.allRoutes === true }
    case 'hook':
      return { named: options.hook ?? [], all: all || options.allHooks === true }
    case 'domain':
      return { named: options.domain ?? [], all: all || options.allDomains === true }
    case 'core':
      return { named: options.core ?? [], all: all || options.allCore === true }
    case 'kv':
      return { named: options.kv ?? [], all: all || options.allKv === true }
    case 'stage':
      return { named: options.stage ?? [], all: all || options.allStages === true }
    case 'auth':
      return { named: options.auth ?? [], all: all || options.allAuth === true }
    case 'gateway':
      return { named: options.gateway ?? [], all: all || options.allGateway === true }
  }
}

function collect(parse: (text: string) => string) {
  return (text: string, collected: readonly string[] = []): readonly string[] => [...collected, parse(text)]
}

/** Reads `get /tasks` as `GET /tasks`. */
function parseRoute(text: string): string {
  const [, method, path] = /^\s*([A-Za-z]+)\s+(\/\S*)\s*$/.exec(text) ?? []
  if (method === undefined || path === undefined) {
    throw new InvalidArgumentError('It must be a method and a path, e.g. "GET /tasks".')
  }
  return `${method.toUpperCase()} ${path}`
}

function parseHook(text: string): string {
  const [, event, table] = /^\s*([a-z_]+)\s*:\s*(\S.*?)\s*$/.exec(text) ?? []
  if (event === undefined || table === undefined) {
    throw new InvalidArgumentError('It must be an event and a table, e.g. before_create:content_data.')
  }
  return `${event}:${table}`
}

function parseDomain(text: string): string {
  const domain = text.trim().toLowerCase()
  if (!/^[a-z0-9.-]+$/.test(domain)) {
    throw new InvalidArgumentError(
      'It must be a host name without scheme, port and path, e.g. api.example.com.',
    )
  }
  return domain
}

function parseCore(text: string): string {
  const [, table, access] = /^\s*(\w+)\s*:\s*(read|write)\s*$/.exec(text) ?? []
  if (table === undefined || access === undefined) {
    throw new InvalidArgumentError('It must be a table and read or write, e.g. content_data:read.')
  }
  return `${table}:${access}`
}

function parseKv(text: string): string {
  const [, namespace, access] =
    /^\s*(?:shared:)?([a-z][a-z0-9_-]*)\s*(?::\s*(read|write))?\s*$/.exec(text) ?? []
  if (namespace === undefined) {
    throw new InvalidArgumentError(
      'It must be a shared namespace, if need be with read or write, e.g. config:read.',
    )
  }
  return access === undefined ? namespace : `${namespace}:${access}`
}

function parseShownKey(text: string): string {
  const key = text.trim()
  if (key === '') throw new InvalidArgumentError('It must be a key that "plugin diff" shows.')
  return key
}

function parseGateway(text: string): string {
  const access = text.trim()
  if (!/^[a-z]+:(?:read|write)$/.test(access)) {
    throw new InvalidArgumentError('It must be log:read, stats:read or shell:write.')
  }
  return access
}
