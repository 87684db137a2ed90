import { kvLimits } from '../base/limits/kv.js'
import { manifestLimits } from '../base/limits/plugins.js'
import { secretLimits } from '../base/limits/secrets.js'
import { nearestName } from '../base/nearest-name.js'
import { moduleNames } from '../capabilities/module-names.js'
import { sharedNamePattern } from '../kv/namespace.js'
import type { LuaObject, LuaValue } from '../sandbox/lua-value.js'
import { secretsMember } from './config/plugin-secrets.js'
import type { ConfigSchema } from './config/schema.js'
import { readConfigSchema } from './config/schema-reader.js'
import { pluginManifestInvalid } from './errors.js'
import { ManifestReader } from './manifest-reader.js'
import { findNameProblem } from './plugin-name.js'

/** A field of `plugin_info` that is wrong or worth a word. */
export interface ManifestProblem {
  /** e.g. `name`, `core_access.content`. */
  readonly field: string
  readonly message: string
}

/** A row of the pipelines that a plugin offers. */
export interface ManifestCapability {
  readonly table: string
  readonly op: string
  readonly handler: string
  readonly priority: number
}

export interface ManifestScreen {
  readonly name: string
  readonly label: string
  readonly icon: string
  readonly hidden: boolean
}

export interface ManifestInterface {
  readonly name: string
  readonly label: string
  /** How the editor opens: `inline` unless the plugin says otherwise, commonly `overlay`. */
  readonly mode: string
}

export interface ManifestUi {
  readonly tag: string
  readonly bundle: string
  readonly hasAdmin: boolean
}

/** What a plugin may do with something that is not its own. */
export type Access = 'read' | 'write'

/** What plugins may do with the gateway. */
export const gatewayAccesses = ['log:read', 'stats:read', 'shell:write'] as const

export type GatewayAccess = (typeof gatewayAccesses)[number]

/** What a plugin says of itself, checked. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly author: string | undefined
  readonly license: string | undefined
  readonly minCmsVersion: string | undefined
  /** Names of plugins that must run before this one starts. */
  readonly dependencies: readonly string[]
  /** Names of Lua modules without which it cannot do its work. */
  readonly requires: readonly string[]
  /** Describes the values that it takes from the configuration; undefined when it takes none. */
  readonly configSchema: ConfigSchema | undefined
  /** Names of the secrets that it reads. */
  readonly secrets: readonly string[]
  readonly capabilities: readonly ManifestCapability[]
  /** Core tables that the plugin asks for; asking grants nothing. */
  readonly coreAccess: ReadonlyMap<string, readonly Access[]>
  /** Shared key-value namespaces that it asks for, by their name without `shared:`; asking grants nothing. */
  readonly kvAccess: ReadonlyMap<string, readonly Access[]>
  /** What it asks to do with the gateway; asking grants nothing. */
  readonly gatewayAccess: readonly GatewayAccess[]
  readonly screens: readonly ManifestScreen[]
  readonly interfaces: readonly ManifestInterface[]
  readonly ui: ManifestUi | undefined
}

/** Either a manifest or the problems that prevent one; warnings prevent nothing. */
export interface ManifestResult {
  readonly manifest: Manifest | undefined
  readonly problems: readonly ManifestProblem[]
  readonly warnings: readonly ManifestProblem[]
}

const knownFields: readonly string[] = [
  'name',
  'version',
  'description',
  'author',
  'license',
  'min_cms_version',
  'dependencies',
  'requires',
  'config_schema',
  'secrets',
  'capabilities',
  'core_access',
  'kv_access',
  'gateway_access',
  'screens',
  'interfaces',
  'ui',
]

/**
 * Checks the table `plugin_info` and collects all that is wrong with it.
 *
 * @param pluginInfo The table as it left Lua; undefined when there is none.
 */
export function parseManifest(pluginInfo: LuaObject | undefined): ManifestResult {
  if (pluginInfo === undefined || Array.isArray(pluginInfo)) {
    const message = 'missing required plugin_info: set the global table plugin_info at the top of init.lua'
    return { manifest: undefined, problems: [{ field: 'plugin_info', message }], warnings: [] }
  }
  const reader = new ManifestReader(pluginInfo)
  const name = reader.raw('name')
  const nameProblem = findNameProblem(typeof name === 'string' ? name : '')
  if (nameProblem !== undefined) reader.report('name', nameProblem)
  const manifest: Manifest = {
    name: typeof name === 'string' ? name : '',
    version: reader.requiredText('version'),
    description: reader.requiredText('description'),
    author: reader.text('author'),
    license: reader.text('license'),
    minCmsVersion: reader.text('min_cms_version'),
    dependencies: [...new Set(reader.list('dependencies').filter((entry) => typeof entry === 'string'))],
    requires: parseRequires(reader),
    configSchema: parseConfigSchema(reader),
    secrets: parseSecrets(reader),
    capabilities: reader.tables('capabilities').map(parseCapability),
    coreAccess: parseAccess(reader, 'core_access', {
      pattern: /^[a-z_][a-z0-9_]{0,63}$/i,
      problem: (shown) => `names the table ${shown}, which no table can be called`,
    }),
    kvAccess: parseAccess(reader, 'kv_access', {
      pattern: sharedNamePattern,
      problem: (shown) =>
        `names the shared namespace ${shown}; a name has 1 to ${kvLimits.namespaceCharactersMax} lower-case letters, digits, "_" and "-", and begins with a letter`,
    }),
    gatewayAccess: parseGatewayAccess(reader),
    screens: reader.tables('screens').map(parseScreen).filter(hasName),
    interfaces: reader.tables('interfaces').map(parseInterface).filter(hasName),
    ui: parseUi(reader, typeof name === 'string' ? name : ''),
  }
  if (manifest.secrets.length > 0 && Object.hasOwn(manifest.configSchema?.properties ?? {}, secretsMember)) {
    const message = `config_schema has the property "${secretsMember}", where the values of plugin_info.secrets stand: rename it`
    reader.report('config_schema', message)
  }
  const warnings = findWarnings(pluginInfo, manifest)
  return {
    manifest: reader.problems.length === 0 ? manifest : undefined,
    problems: reader.problems,
    warnings,
  }
}

/**
 * As `parseManifest`, for those who can do nothing without a manifest.
 *
 * @throws HostError PLUGIN_MANIFEST_INVALID that names every problem.
 */
export function requireManifest(folder: string, pluginInfo: LuaObject | undefined): Manifest {
  const { manifest, problems } = parseManifest(pluginInfo)
  if (manifest !== undefined) return manifest
  throw pluginManifestInvalid({ folder, problems: problems.map(({ message }) => message).join('; ') })
}

function findWarnings(pluginInfo: LuaObject, manifest: Manifest): readonly ManifestProblem[] {
  const warnings: ManifestProblem[] = []
  if (manifest.author === undefined) warnings.push({ field: 'author', message: 'no author is given' })
  if (manifest.license === undefined) warnings.push({ field: 'license', message: 'no license is given' })
  for (const field of Object.keys(pluginInfo).filter((key) => !knownFields.includes(key))) {
    warnings.push({ field, message: 'this field is not known and has no effect; is it misspelt?' })
  }
  return warnings
}

function parseConfigSchema(reader: ManifestReader): ConfigSchema | undefined {
  const given = reader.raw('config_schema')
  if (given === undefined || given === null) return undefined
  const { schema, problems } = readConfigSchema(given)
  for (const { field, message } of problems) reader.report(field, message)
  return schema
}

/** What a plugin cannot do without is said before it is missed. */
function parseRequires(reader: ManifestReader): readonly string[] {
  const field = 'requires'
  const found = new Set<string>()
  for (const wanted of reader.list(field)) {
    if (typeof wanted !== 'string') {
      reader.report(field, `${field} must be a list of names of Lua modules, such as "db"`)
    } else if (moduleNames.includes(wanted)) found.add(wanted)
    else {
      const nearest = nearestName(wanted, moduleNames)
      const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
      const shown = JSON.stringify(wanted.slice(0, 64))
      reader.report(
        field,
        `${field} names the module ${shown}, which this host does not have${hint === '' ? '; it' : `${hint} It`} has ${moduleNames.join(', ')}`,
      )
    }
  }
  return [...found]
}

function parseCapability(entry: LuaObject): ManifestCapability {
  return {
    table: textOf(entry.table),
    op: textOf(entry.op),
    handler: textOf(entry.handler),
    priority: typeof entry.priority === 'number' ? entry.priority : 0,
  }
}

function parseScreen(entry: LuaObject): ManifestScreen {
  const name = textOf(entry.name)
  return { name, label: textOf(entry.label), icon: textOf(entry.icon), hidden: entry.hidden === true }
}

function parseInterface(entry: LuaObject): ManifestInterface {
  return { name: textOf(entry.name), label: textOf(entry.label), mode: textOf(entry.mode) || 'inline' }
}

/** What the names in a table of accesses must look like. */
interface AccessNames {
  readonly pattern: RegExp
  /** Follows the name of the field in a message; `shown` is a name that does not fit, in quotes. */
  problem(shown: string): string
}

function parseAccess(
  reader: ManifestReader,
  field: string,
  names: AccessNames,
): ReadonlyMap<string, readonly Access[]> {
  const access = new Map<string, readonly Access[]>()
  const entries = Object.entries(reader.table(field) ?? {})
  if (entries.length > manifestLimits.listEntriesMax) {
    reader.report(
      field,
      `${field} has ${entries.length} entries; the limit is ${manifestLimits.listEntriesMax}`,
    )
    return access
  }
  for (const [name, wanted] of entries) {
    if (!names.pattern.test(name)) {
      reader.report(field, `${field} ${names.problem(JSON.stringify(name.slice(0, 64)))}`)
      continue
    }
    const list = Array.isArray(wanted) ? wanted : []
    const kinds = list.filter((kind): kind is Access => kind === 'read' || kind === 'write')
    if (!Array.isArray(wanted) || kinds.length !== list.length) {
      reader.report(`${field}.${name}`, `${field}.${name} must be a list of "read" and "write"`)
    }
    access.set(name, [...new Set(kinds)])
  }
  return access
}

const secretName = /^[a-z][a-z0-9_]*$/

function parseSecrets(reader: ManifestReader): readonly string[] {
  const field = 'secrets'
  const { namesMax, nameCharactersMax } = secretLimits
  const names = reader.list(field)
  if (names.length > namesMax)
    reader.report(field, `${field} has ${names.length} names; the limit is ${namesMax}`)
  const found = new Set<string>()
  for (const name of names) {
    if (typeof name === 'string' && secretName.test(name) && name.length <= nameCharactersMax) found.add(name)
    else {
      const shown =
        typeof name === 'string' ? JSON.stringify(name.slice(0, nameCharactersMax)) : `a ${typeof name}`
      const rule = `1 to ${nameCharactersMax} lower-case letters, digits and "_", the first a letter`
      reader.report(field, `${field} has ${shown}, which is no name of a secret: ${rule}`)
    }
  }
  return [...found]
}

function parseGatewayAccess(reader: ManifestReader): readonly GatewayAccess[] {
  const field = 'gateway_access'
  const known: readonly string[] = gatewayAccesses
  const found = new Set<GatewayAccess>()
  for (const wanted of reader.list(field)) {
    const text = typeof wanted === 'string' ? wanted : ''
    if (known.includes(text)) {
      found.add(text as GatewayAccess)
      continue
    }
    const shown = typeof wanted === 'string' ? JSON.stringify(wanted.slice(0, 64)) : `a ${typeof wanted}`
    const sameSubject = known.find((access) => access.startsWith(`${text.split(':')[0]}:`))
    const nearest = nearestName(text, known) ?? sameSubject
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    const choices = known.map((access) => `"${access}"`).join(', ')
    reader.report(field, `${field} has ${shown}, which is none of ${choices}${hint}`)
  }
  return [...found]
}

/** Names that HTML keeps for itself although they look like those of custom elements. */
const reservedElements: readonly string[] = [
  'annotation-xml',
  'color-profile',
  'font-face',
  'font-face-src',
  'font-face-uri',
  'font-face-format',
  'font-face-name',
  'missing-glyph',
]

function parseUi(reader: ManifestReader, name: string): ManifestUi | undefined {
  const ui = reader.table('ui')
  const tag = textOf(ui?.tag)
  if (ui === undefined || tag === '') return undefined
  const expected = `mcms-${name.replaceAll('_', '-')}`
  if (tag !== expected) reader.report('ui.tag', `ui.tag is "${tag}"; it must be "${expected}"`)
  if (!/^[a-z][a-z0-9]*-[a-z0-9-]*$/.test(tag) || tag.length > 64 || reservedElements.includes(tag)) {
    reader.report('ui.tag', `ui.tag "${tag}" is not a valid name of a custom element`)
  }
  return { tag, bundle: textOf(ui.bundle), hasAdmin: ui.has_admin === true }
}

function hasName(entry: { readonly name: string }): boolean {
  return entry.name !== ''
}

function textOf(value: LuaValue): string {
  return typeof value === 'string' ? value : ''
}
