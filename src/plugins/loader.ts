import { HostError, messageOf } from '../base/errors.js'
import { type AuthDeclaration, authDeclarations } from '../capabilities/auth/auth-rules.js'
import {
  type CallOutcome,
  type Generation,
  type Inspection,
  type PluginSource,
  type Sandbox,
  UnfinishedLoad,
} from '../sandbox/generation.js'
import type { LuaObject } from '../sandbox/lua-value.js'
import type { GenerationSettings } from '../sandbox/settings.js'
import { describeProblems, type PluginConfig, type PluginConfigs } from './config/plugin-configs.js'
import { pluginLoadFailed } from './errors.js'
import { type Manifest, requireManifest } from './manifest.js'
import { type Migration, readMigrations } from './migrations/declared.js'
import { type ReadSource, readPluginSource } from './source.js'

/** A folder that was read and says which plugin it is. */
export interface Candidate extends ReadSource {
  readonly folder: string
  readonly manifest: Manifest
  /** Its values, or what is wrong with them. */
  readonly config: PluginConfig
  /** In ascending order of their versions. */
  readonly migrations: readonly Migration[]
  /** Its authenticators and authorizers; undefined when it could not be run to its end. */
  readonly authParts: readonly AuthDeclaration[] | undefined
}

export interface PluginLoaderOptions {
  /** The plugin directory. */
  readonly directory: string
  readonly sandbox: Sandbox
  readonly settings: GenerationSettings
  readonly configs: PluginConfigs
}

/** Makes generations of plugin folders, step by step; holds nothing itself. */
export class PluginLoader {
  readonly #options: PluginLoaderOptions

  constructor(options: PluginLoaderOptions) {
    this.#options = options
  }

  /**
   * Reads the files of a folder.
   *
   * @throws HostError PLUGIN_SOURCE_INVALID.
   */
  read(folder: string): Promise<ReadSource> {
    return readPluginSource(this.#options.directory, folder)
  }

  /**
   * Asks a source which plugin it is, and makes its values. Wrong values are no failure here: `build` refuses them.
   *
   * @throws HostError PLUGIN_MANIFEST_INVALID, SANDBOX_LOAD_FAILED when init.lua cannot run, or PLUGIN_LOAD_FAILED when a
   * migration holds what it may not.
   */
  async inspect(read: ReadSource): Promise<Candidate> {
    const { folder } = read.source
    const { sandbox, settings, configs } = this.#options
    const first = await inspectUnconfigured(sandbox, read.source, settings)
    const manifest = requireManifest(folder, first.pluginInfo)
    const config = configs.resolve(manifest)
    // It may have failed for want of its values; if it did not, it fails again.
    const isRepeated = first.failure !== undefined && config.problems.length === 0
    const inspection = isRepeated
      ? await sandbox.inspect(read.source, { ...settings, configuration: config.values })
      : first.inspection
    const migrations = migrationsOf(manifest, read, inspection)
    const authParts = inspection && authDeclarations(inspection.registrations)
    return { ...read, folder, manifest, config, migrations, authParts }
  }

  /**
   * Builds the VMs of a generation; the caller closes it.
   *
   * @throws HostError PLUGIN_LOAD_FAILED, also when init.lua says something else of itself this time.
   */
  async build({ source, manifest, config }: Candidate): Promise<Generation> {
    const { sandbox, settings, configs } = this.#options
    if (config.problems.length > 0) {
      const reason = `its configuration is not valid: ${describeProblems(config.problems)}`
      throw pluginLoadFailed({ plugin: manifest.name, reason })
    }
    const configured = { ...settings, configuration: config.values, secrets: config.readable }
    const generation = await sandbox.createGeneration(manifest.name, manifest.version, source, configured)
    try {
      assertSameIdentity(generation.inspection, manifest, source.folder)
      configs.serves(manifest.name, config)
      return generation
    } catch (error) {
      await generation.close()
      throw error
    }
  }

  /** Says why a load failed, without the secrets that the plugin was given. */
  explain(error: unknown): string {
    return this.#options.configs.redact(reasonOf(error))
  }

  /**
   * Runs `on_init` of a generation that has one.
   *
   * @throws HostError PLUGIN_LOAD_FAILED with a reason that starts with `on_init failed`.
   */
  async initialize(generation: Generation): Promise<void> {
    if (!generation.inspection.hasOnInit) return
    const outcome = await callLifecycle(generation, 'on_init', this.#options.settings.timeoutMs)
    if (outcome.ok) return
    const reason = `on_init failed: ${describeFailure(outcome)}`
    throw pluginLoadFailed({ plugin: generation.plugin, reason })
  }
}

/** What is known of a source before its values are. */
export interface UnconfiguredInspection {
  readonly pluginInfo: LuaObject | undefined
  /** Present when init.lua raised behind its plugin_info; with it, the rest of the inspection is missing. */
  readonly failure?: unknown
  readonly inspection?: Inspection
}

/**
 * Runs init.lua without any values, to find out whose they are.
 *
 * @throws HostError SANDBOX_LOAD_FAILED when it does not say what it is, or describes no values that it could lack.
 */
export async function inspectUnconfigured(
  sandbox: Sandbox,
  source: PluginSource,
  settings: GenerationSettings,
): Promise<UnconfiguredInspection> {
  try {
    const inspection = await sandbox.inspect(source, settings)
    return { pluginInfo: inspection.pluginInfo, inspection }
  } catch (failure) {
    const cause = failure instanceof HostError ? failure.cause : undefined
    if (!(cause instanceof UnfinishedLoad) || cause.pluginInfo?.config_schema === undefined) throw failure
    return { pluginInfo: cause.pluginInfo, failure }
  }
}

/**
 * Runs `on_shutdown` of a generation that has one.
 *
 * @returns What went wrong, or undefined.
 */
export async function runOnShutdown(generation: Generation, timeoutMs: number): Promise<string | undefined> {
  if (!generation.inspection.hasOnShutdown) return undefined
  try {
    const outcome = await callLifecycle(generation, 'on_shutdown', timeoutMs)
    return outcome.ok ? undefined : describeFailure(outcome)
  } catch (error) {
    return messageOf(error)
  }
}

/** The reason that stands in front of admins for anything that stopped a load. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error)
  // The frame of this host's own load errors names the plugin, which stands beside the reason anyway.
  const framed = error instanceof HostError && error.code === 'PLUGIN_LOAD_FAILED'
  return framed ? message.replace(/^Plugin "[a-z0-9_]*": /, '') : message
}

function callLifecycle(
  generation: Generation,
  callback: 'on_init' | 'on_shutdown',
  timeoutMs: number,
): Promise<CallOutcome> {
  return generation.call({
    kind: 'lifecycle',
    phase: callback === 'on_init' ? 'init' : 'shutdown',
    payload: callback,
    body: '',
    requestId: `${callback}-${generation.plugin}-${generation.id}`,
    timeoutMs,
  })
}

function describeFailure(outcome: Extract<CallOutcome, { ok: false }>): string {
  return outcome.message === '' ? outcome.code : outcome.message
}

function assertSameIdentity(inspection: Inspection, expected: Manifest, folder: string): void {
  const actual = requireManifest(folder, inspection.pluginInfo)
  if (actual.name === expected.name && actual.version === expected.version) return
  const reason = `plugin_info must be the same each time init.lua runs: it was ${expected.name} ${expected.version}, then ${actual.name} ${actual.version}`
  throw pluginLoadFailed({ plugin: expected.name, reason })
}

/** Reads the migrations of a plugin; without an inspection, those of its files. */
function migrationsOf(
  { name }: Manifest,
  { sqlFiles }: ReadSource,
  inspection: Inspection | undefined,
): readonly Migration[] {
  const { list, problems } = readMigrations(name, sqlFiles, inspection?.registrations ?? [])
  if (problems.length === 0) return list
  throw pluginLoadFailed({ plugin: name, reason: `its migrations cannot be used: ${problems.join('; ')}` })
}
