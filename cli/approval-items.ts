import type { ApprovalItem, ApprovalKind, Client, GatewayAccess } from '../sdk/client/index.js'
import type { CliContext } from './context.js'
import { paint, printable } from './output.js'

/** Whose item it is, and of which source. */
export interface ItemOwner {
  readonly plugin: string
  readonly content_hash: string
}

/** One kind of things that plugins ask for, as the commands treat it. */
export interface KindOfItems {
  readonly kind: ApprovalKind
  readonly one: string
  readonly many: string
  /** Option that selects all of them. */
  readonly allFlag: string
  /** Approves or revokes; every key is of this kind. */
  change(client: Client, verb: 'approve' | 'revoke', owner: ItemOwner, keys: readonly string[]): Promise<void>
  /** Gives the fields of a key, for the JSON result. */
  fieldsOf(item: ApprovalItem): object
}

/** All kinds in the order in which they are shown and changed. */
export const kindsOfItems: readonly KindOfItems[] = [
  {
    kind: 'route',
    one: 'route',
    many: 'routes',
    allFlag: '--all-routes',
    change: ({ routes }, verb, owner, keys) =>
      routes[verb](keys.map((key) => ({ ...owner, ...parseRoute(key) }))),
    fieldsOf: ({ key, public: isPublic = false, requires }) => ({
      ...parseRoute(key),
      public: isPublic,
      ...(requires && { requires }),
    }),
  },
  {
    kind: 'hook',
    one: 'hook',
    many: 'hooks',
    allFlag: '--all-hooks',
    change: ({ hooks }, verb, owner, keys) =>
      hooks[verb](keys.map((key) => ({ ...owner, ...parseHook(key) }))),
    fieldsOf: ({ key }) => parseHook(key),
  },
  {
    kind: 'domain',
    one: 'domain',
    many: 'domains',
    allFlag: '--all-domains',
    change: ({ requests }, verb, owner, keys) => requests[verb](keys.map((domain) => ({ ...owner, domain }))),
    fieldsOf: ({ key }) => ({ domain: key }),
  },
  {
    kind: 'core',
    one: 'core access',
    many: 'core accesses',
    allFlag: '--all-core',
    change: ({ core }, verb, owner, keys) => core[verb](keys.map((key) => ({ ...owner, ...parseCore(key) }))),
    fieldsOf: ({ key }) => parseCore(key),
  },
  {
    kind: 'kv',
    one: 'kv access',
    many: 'kv accesses',
    allFlag: '--all-kv',
    change: ({ kvAccess }, verb, owner, keys) =>
      kvAccess[verb](keys.map((key) => ({ ...owner, ...parseKv(key) }))),
    fieldsOf: ({ key }) => parseKv(key),
  },
  {
    kind: 'stage',
    one: 'stage',
    many: 'stages',
    allFlag: '--all-stages',
    change: ({ stages }, verb, owner, keys) => stages[verb](keys.map((stage) => ({ ...owner, stage }))),
    fieldsOf: ({ key }) => ({ stage: key }),
  },
  {
    kind: 'auth',
    one: 'authenticator or authorizer',
    many: 'authenticators and authorizers',
    allFlag: '--all-auth',
    change: ({ authParts }, verb, owner, keys) => authParts[verb](keys.map((part) => ({ ...owner, part }))),
    fieldsOf: ({ key }) => ({ part: key }),
  },
  {
    kind: 'gateway',
    one: 'gateway access',
    many: 'gateway accesses',
    allFlag: '--all-gateway',
    change: ({ gatewayAccess }, verb, owner, keys) =>
      gatewayAccess[verb](keys.map((access) => ({ ...owner, access: access as GatewayAccess }))),
    fieldsOf: ({ key }) => ({ access: key }),
  },
]

/** Counts items by their kind: `2 routes, 1 hook`. */
export function countItems(items: readonly Pick<ApprovalItem, 'kind'>[]): string {
  return kindsOfItems
    .map(({ kind, one, many }) => {
      const count = items.filter((item) => item.kind === kind).length
      return count === 0 ? '' : `${count} ${count === 1 ? one : many}`
    })
    .filter((text) => text !== '')
    .join(', ')
}

/** Gives the command that approves all items of the kinds that are among the given ones. */
export function approveCommand(plugin: string, items: readonly Pick<ApprovalItem, 'kind'>[]): string {
  const flags = kindsOfItems
    .filter(({ kind }) => items.some((item) => item.kind === kind))
    .map(({ allFlag }) => allFlag)
  return `modulacms plugin approve ${printable(plugin)} ${flags.join(' ')}`
}

/** Shows an item in one line: what it is, and what approving it lets happen. */
export function describeItem(context: CliContext, item: ApprovalItem): string {
  const { kind, key, description, approved_before: before } = item
  const said = kind === 'domain' && description !== '' ? `the plugin says: ${description}` : description
  const notes = [
    printable(said),
    before && printable(`was approved for ${before.plugin_version} by ${before.approved_by}`),
  ]
  const text = notes.filter((note) => note).join('; ')
  const shown = isFarReaching(item) ? paint(context, 'yellow', text) : text
  return `${printable(nameItem({ kind, key }))}${text === '' ? '' : `  (${shown})`}`
}

/** Names an item in columns: `GET    /notes`, `hook   before_create:content_data`. */
export function nameItem({ kind, key }: Pick<ApprovalItem, 'kind' | 'key'>): string {
  if (kind !== 'route') return `${kind.padEnd(6)} ${key}`
  const { method, path } = parseRoute(key)
  return `${method.padEnd(6)} ${path}`
}

function isFarReaching({ kind, key, public: isPublic }: ApprovalItem): boolean {
  if (kind === 'hook') return parseHook(key).table === '*'
  if (kind === 'stage' || kind === 'auth') return true
  if (kind === 'core' || kind === 'kv' || kind === 'gateway') return splitAccess(key)[1] === 'write'
  return isPublic === true
}

/** Takes `GET /notes` apart. */
export function parseRoute(key: string): { readonly method: string; readonly path: string } {
  const space = key.indexOf(' ')
  return { method: key.slice(0, space), path: key.slice(space + 1) }
}

function parseHook(key: string): { readonly event: string; readonly table: string } {
  const colon = key.indexOf(':')
  return { event: key.slice(0, colon), table: key.slice(colon + 1) }
}

function parseCore(key: string): { readonly table: string; readonly access: 'read' | 'write' } {
  const [table, access] = splitAccess(key)
  return { table, access }
}

function parseKv(key: string): { readonly namespace: string; readonly access: 'read' | 'write' } {
  const [namespace, access] = splitAccess(key)
  return { namespace, access }
}

function splitAccess(key: string): readonly [name: string, access: 'read' | 'write'] {
  const colon = key.lastIndexOf(':')
  return [key.slice(0, colon), key.slice(colon + 1) === 'write' ? 'write' : 'read']
}
