import { interpolate } from '../base/interpolation.js'
import type { ConfigProblem } from './problems.js'

/** An environment variable that gives one value of a plugin. */
export interface PluginVariable {
  /** As it is called in the environment, e.g. `MODULACMS__PLUGINS__TOKENS__TTL`. */
  readonly variable: string
  /** What follows the plugin's name, in lower case, e.g. `['ttl']`. */
  readonly path: readonly string[]
  readonly text: string
}

/** What an operator says of one plugin; the plugin's own values are read when its schema is known. */
export interface PluginSection {
  /** Name as names are compared: with `_` where `-` may have been written. */
  readonly name: string
  /** Where it stands, e.g. `plugins.worker-token`. */
  readonly key: string
  readonly origin: string
  /** False takes the plugin out as if its folder were not there. */
  readonly enabled: boolean
  /** True lets the host not start without the plugin. */
  readonly required: boolean
  /** The values as they are written, without `enabled` and `required`; variables in them are not replaced yet. */
  readonly values: Readonly<Record<string, unknown>>
  /** Win over `values`. */
  readonly variables: readonly PluginVariable[]
  /** Where a value comes from, by its dotted key, e.g. `config.json line 4`. */
  originOf(key: string): string
}

/** The sections of all plugins. */
export interface PluginSections {
  /** By name, as names are compared. */
  readonly sections: ReadonlyMap<string, PluginSection>
  /** What variables in the values are replaced by; undefined when texts are taken as they are. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined
}

/** The object `plugins` as one source gives it. */
export interface GivenSections {
  readonly value: unknown
  originOf(key: string): string
}

/** What every environment variable with a value of a plugin starts with, in any case. */
export const pluginVariablePrefix = 'MODULACMS__PLUGINS__'

/** Tells whether an environment variable gives a value of a plugin. */
export function isPluginVariable(name: string): boolean {
  return name.toUpperCase().startsWith(pluginVariablePrefix)
}

const sectionsKey = 'plugins'
const reservedKeys = ['enabled', 'required'] as const
const pluginName = /^(?=.{1,32}$)[a-z0-9_]*[a-z0-9]$/

interface Draft {
  readonly key: string
  readonly origin: string
  readonly members: Readonly<Record<string, unknown>>
  readonly variables: PluginVariable[]
  originOf(key: string): string
}

/**
 * Reads the sections of all plugins out of the object `plugins` and the environment. Takes out what is the host's;
 * leaves the values of plugins as they are.
 *
 * @param given The object; undefined when there is none.
 * @param environment What variables are replaced by; undefined leaves texts as they are and reads no variables.
 * @returns The sections and what is wrong with them.
 */
export function readPluginSections(
  given: GivenSections | undefined,
  environment: PluginSections['environment'],
): PluginSections & { readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const drafts = new Map<string, Draft>()
  if (given !== undefined) takeObject(given, drafts, problems)
  for (const [name, text] of Object.entries(environment ?? {})) {
    if (text !== undefined && isPluginVariable(name)) takeVariable(name, text, drafts, problems)
  }
  const sections = [...drafts].map(([name, draft]): [string, PluginSection] => [
    name,
    toSection(name, draft, { environment, problems }),
  ])
  return { sections: new Map(sections), environment, problems }
}

function takeObject(given: GivenSections, drafts: Map<string, Draft>, problems: ConfigProblem[]): void {
  if (!isObject(given.value)) {
    const rule = 'must be an object with a member for each plugin'
    problems.push({ key: sectionsKey, rule, origin: given.originOf(sectionsKey) })
    return
  }
  for (const [written, members] of Object.entries(given.value)) {
    const key = `${sectionsKey}.${written}`
    const origin = given.originOf(key)
    const name = comparableName(written)
    const former = drafts.get(name)
    if (!pluginName.test(name)) {
      const rule = 'is no name of a plugin: 1 to 32 of a-z, 0-9, "_" and "-", the last a letter or a digit'
      problems.push({ key, rule, origin })
    } else if (former !== undefined) {
      const rule = `names the same plugin as ${former.key} (${former.origin}); put both into one object`
      problems.push({ key, rule, origin })
    } else if (!isObject(members)) {
      problems.push({ key, rule: 'must be an object with the settings of the plugin', origin })
    } else
      drafts.set(name, { key, origin, members, variables: [], originOf: (place) => given.originOf(place) })
  }
}

function takeVariable(
  variable: string,
  text: string,
  drafts: Map<string, Draft>,
  problems: ConfigProblem[],
): void {
  const [name = '', ...path] = variable.slice(pluginVariablePrefix.length).toLowerCase().split('__')
  if (!pluginName.test(name) || path.length === 0 || path.includes('')) {
    const rule = `must be ${pluginVariablePrefix}, the name of a plugin and the key of a value, with two underscores between them`
    problems.push({ key: variable, rule, origin: 'environment' })
    return
  }
  const origin = `environment variable ${variable}`
  const draft = drafts.get(name) ?? {
    key: `${sectionsKey}.${name}`,
    origin,
    members: {},
    variables: [],
    originOf: () => origin,
  }
  draft.variables.push({ variable, path, text })
  drafts.set(name, draft)
}

interface Surroundings {
  readonly environment: PluginSections['environment']
  readonly problems: ConfigProblem[]
}

function toSection(name: string, draft: Draft, surroundings: Surroundings): PluginSection {
  const { key, origin, members } = draft
  const { enabled: _enabled, required: _required, ...values } = members
  return {
    name,
    key,
    origin,
    enabled: readSwitch('enabled', true, draft, surroundings),
    required: readSwitch('required', false, draft, surroundings),
    values,
    variables: draft.variables.filter(({ path }) => path.length > 1 || !isReserved(path[0])),
    originOf: draft.originOf,
  }
}

function isReserved(key: string | undefined): boolean {
  return reservedKeys.some((reserved) => reserved === key)
}

const switchWords: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false }

function readSwitch(
  name: (typeof reservedKeys)[number],
  preset: boolean,
  { key, members, variables, originOf }: Draft,
  { environment, problems }: Surroundings,
): boolean {
  const place = `${key}.${name}`
  const variable = variables.find(({ path }) => path.length === 1 && path[0] === name)
  const origin = variable === undefined ? originOf(place) : `environment variable ${variable.variable}`
  const given = variable?.text ?? members[name]
  if (given === undefined) return preset
  if (typeof given === 'boolean') return given
  let isText = variable !== undefined
  let text = typeof given === 'string' ? given : ''
  if (typeof given === 'string' && environment !== undefined && !isText) {
    const resolved = interpolate(given, environment)
    if (resolved.problem !== undefined) {
      problems.push({ key: place, value: JSON.stringify(given), rule: resolved.problem, origin })
      return preset
    }
    isText = resolved.isChanged
    text = resolved.text
  }
  const found = isText ? switchWords[text.trim().toLowerCase()] : undefined
  if (found === undefined) problems.push({ key: place, rule: 'must be true or false', origin })
  return found ?? preset
}

/** The form in which names of plugins are compared. */
function comparableName(name: string): string {
  return name.replaceAll('-', '_')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
