import { Redactor } from '../../base/redactor.js'
import { readableSecrets, withSecrets } from './plugin-secrets.js'
import type { ConfigSchema } from './schema.js'
import { comparableName, type GivenSection, type PluginConfigSource, type ValueProblem } from './section.js'
import { type ResolvedValues, resolveValues } from './values.js'

/** What the configuration of a plugin came to. */
export interface PluginConfig extends ResolvedValues {
  /** False when the operator has said nothing of the plugin. */
  readonly isConfigured: boolean
  /** What `secrets.get` gives, by name; null for what the operator has not set. */
  readonly readable: Readonly<Record<string, string | null>>
}

/** What a plugin says of itself that matters here. */
export interface Configurable {
  readonly name: string
  readonly configSchema: ConfigSchema | undefined
  /** Names of the secrets that it lists. */
  readonly secrets: readonly string[]
}

const nothingSaid: PluginConfigSource = {
  sections: new Map(),
  environment: undefined,
  edition: 'default',
  editions: {},
}

/**
 * What operators say of plugins: which of them run, which must, and the values that they get. It was read at the start
 * and does not change: a generation that is loaded later gets the same values, checked against its own schema.
 */
export class PluginConfigs {
  readonly #source: PluginConfigSource
  readonly #redactor: Redactor
  readonly #secrets = new Map<string, ReadonlyMap<string, string>>()
  /** All secrets that a generation of a plugin may have seen. */
  readonly #seen = new Map<string, Set<string>>()

  /**
   * @param source What was read; nothing is said of any plugin when missing.
   * @param redactor Is told of all secrets; one of its own when missing.
   */
  constructor(source: PluginConfigSource = nothingSaid, redactor: Redactor = new Redactor()) {
    this.#source = source
    this.#redactor = redactor
  }

  get edition(): string {
    return this.#source.edition
  }

  /** Says why a plugin does not run although its folder is there; undefined when it may. */
  offReason(plugin: string): string | undefined {
    const section = this.#sectionOf(plugin)
    if (section !== undefined && !section.enabled) {
      return `${section.key}.enabled is false (${section.originOf(`${section.key}.enabled`)})`
    }
    const members = this.#members()
    if (members === undefined || members.has(comparableName(plugin))) return undefined
    return `it is not in the edition "${this.edition}"`
  }

  /** Tells whether the host must not run without a plugin. */
  isRequired(plugin: string): boolean {
    return this.#sectionOf(plugin)?.required === true && this.offReason(plugin) === undefined
  }

  /** Names of all plugins that the host must not run without, as they are written. */
  required(): readonly string[] {
    return [...this.#source.sections.keys()].filter((name) => this.isRequired(name))
  }

  /** Makes the values of a plugin, and tells the redactor of its secrets before any code of the plugin can see them. */
  resolve({ name, configSchema, secrets: names }: Configurable): PluginConfig {
    const written = this.#sectionOf(name)
    const schema = withSecrets(configSchema, names)
    const resolved = resolveValues(schema, written ?? emptySection(name), this.#source.environment)
    // A generation that still serves may know what another schema no longer calls a secret.
    const seen = new Set([...(this.#seen.get(name) ?? []), ...resolved.secrets.values()])
    this.#seen.set(name, seen)
    this.#redactor.set(name, seen)
    const readable = readableSecrets(configSchema, names, resolved.secrets)
    return { ...resolved, isConfigured: written !== undefined, readable }
  }

  /** To be told which values a plugin runs with. */
  serves(plugin: string, { secrets }: PluginConfig): void {
    this.#secrets.set(plugin, secrets)
  }

  /** The secrets of a plugin by dotted key; none when it has not been loaded. Never show them to another plugin. */
  secretsOf(plugin: string): ReadonlyMap<string, string> {
    return this.#secrets.get(plugin) ?? new Map()
  }

  /** Takes secrets out of a text that people get to read. */
  redact(text: string): string {
    return this.#redactor.redact(text)
  }

  /**
   * Finds what is said of plugins that are not there.
   *
   * @param plugins Names of all plugins that are.
   * @returns Sentences.
   */
  strangers(plugins: readonly string[]): readonly string[] {
    const there = new Set(plugins.map(comparableName))
    const list = plugins.length === 0 ? 'there is none' : `there are ${plugins.join(', ')}`
    const sections = [...this.#source.sections.values()]
      .filter(({ name }) => !there.has(name))
      .map(
        ({ key, origin }) =>
          `${key} (${origin}) configures a plugin that is not in the plugin directory; ${list}`,
      )
    const members = [...(this.#members() ?? [])]
      .filter((name) => !there.has(name))
      .map(
        (name) =>
          `the edition "${this.edition}" names the plugin ${name}, which is not in the plugin directory`,
      )
    return [...sections, ...members]
  }

  #sectionOf(plugin: string): GivenSection | undefined {
    return this.#source.sections.get(comparableName(plugin))
  }

  /** Names of the plugins of the edition; undefined when it takes all. */
  #members(): ReadonlySet<string> | undefined {
    const { edition, editions } = this.#source
    const members = Object.hasOwn(editions, edition) ? editions[edition] : undefined
    return members && new Set(members.map(comparableName))
  }
}

function emptySection(name: string): GivenSection {
  const key = `plugins.${name}`
  return {
    name,
    key,
    origin: 'not given',
    enabled: true,
    required: false,
    values: {},
    variables: [],
    originOf: () => 'not given',
  }
}

/** Says what is wrong with the values of a plugin, in one sentence and without any of them. */
export function describeProblems(problems: readonly ValueProblem[]): string {
  return problems.map(({ key, rule, origin }) => `${key} (${origin}) ${rule}`).join('; ')
}
