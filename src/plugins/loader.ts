import { HostError, messageOf } from '../base/errors.js'
import type { CallOutcome, Generation, Inspection, Sandbox } from '../sandbox/generation.js'
import type { GenerationSettings } from '../sandbox/settings.js'
import { pluginLoadFailed } from './errors.js'
import { type Manifest, requireManifest } from './manifest.js'
import { type Migration, readMigrations } from './migrations/declared.js'
import { type ReadSource, readPluginSource } from './source.js'

/** A folder that was read and says which plugin it is. */
export interface Candidate extends ReadSource {
  readonly folder: string
  readonly manifest: Manifest
  /** In ascending order of their versions. */
  readonly migrations: readonly Migration[]
}

export interface PluginLoaderOptions {
  /** The plugin directory. */
  readonly directory: string
  readonly sandbox: Sandbox
  readonly settings: GenerationSettings
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
   * Asks a source which plugin it is.
   *
   * @throws HostError PLUGIN_MANIFEST_INVALID, or PLUGIN_LOAD_FAILED when init.lua cannot run or a migration holds what
   * it may not.
   */
  async inspect(read: ReadSource): Promise<Candidate> {
    const { folder } = read.source
    const inspection = await this.#options.sandbox.inspect(read.source, this.#options.settings)
    const manifest = requireManifest(folder, inspection.pluginInfo)
    const { list, problems } = readMigrations(manifest.name, read.sqlFiles, inspection.registrations)
    if (problems.length > 0) {
      const reason = `its migrations cannot be used: ${problems.join('; ')}`
      throw pluginLoadFailed({ plugin: manifest.name, reason })
    }
    return { ...read, folder, manifest, migrations: list }
  }

  /**
   * Builds the VMs of a generation; the caller closes it.
   *
   * @throws HostError PLUGIN_LOAD_FAILED, also when init.lua says something else of itself this time.
   */
  async build({ source, manifest }: Candidate): Promise<Generation> {
    const { sandbox, settings } = this.#options
    const generation = await sandbox.createGeneration(manifest.name, manifest.version, source, settings)
    try {
      assertSameIdentity(generation.inspection, manifest, source.folder)
      return generation
    } catch (error) {
      await generation.close()
      throw error
    }
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
