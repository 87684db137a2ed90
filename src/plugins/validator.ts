import { basename, dirname, resolve } from 'node:path'
import { routesOf } from '../capabilities/http/route-rules.js'
import type { Inspection, Sandbox } from '../sandbox/generation.js'
import type { GenerationSettings } from '../sandbox/settings.js'
import { type DeclaredRoute, declaredRoute } from './approvals.js'
import { describeProblems, PluginConfigs } from './config/plugin-configs.js'
import { declaredGrants } from './grants/declared-grants.js'
import type { DeclaredGrant } from './grants/grant-table.js'
import { inspectUnconfigured, reasonOf } from './loader.js'
import { type ManifestProblem, parseManifest } from './manifest.js'
import { readMigrations } from './migrations/declared.js'
import { type ReadSource, readPluginSource } from './source.js'

/** A route that a plugin would register. */
export type ValidatedRoute = DeclaredRoute

/** What is to be said of a plugin before it is installed. It is valid when there are no errors. */
export interface ValidationReport {
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly errors: readonly ManifestProblem[]
  readonly warnings: readonly ManifestProblem[]
  readonly routes: readonly ValidatedRoute[]
  /** Hooks, domains and core tables that it would ask for; empty for a plugin that is not valid. */
  readonly grants: readonly DeclaredGrant[]
  /** In the order in which they are run. */
  readonly migrations: readonly ValidatedMigration[]
}

/** A migration that a plugin would run. */
export interface ValidatedMigration {
  readonly version: number
  readonly description: string
  /** Whether it says how it is undone. */
  readonly reversible: boolean
}

export interface Validator {
  /** Checks the plugin in a folder, by running its init.lua as the host does. Never rejects for what is in it. */
  validate(directory: string): Promise<ValidationReport>
  close(): Promise<void>
}

export interface ValidatorOptions {
  /** Closed by `close()` of the validator. */
  readonly sandbox: Sandbox
  readonly settings: GenerationSettings
  /** The values that plugins get here; nothing is said of any when missing. */
  readonly configs?: PluginConfigs
}

/** Creates a validator of plugin folders on a sandbox that it takes over. */
export function createValidator(options: ValidatorOptions): Validator {
  return {
    validate: (directory) => validate(directory, options),
    close: () => options.sandbox.close(),
  }
}

async function validate(directory: string, options: ValidatorOptions): Promise<ValidationReport> {
  const path = resolve(directory)
  let read: ReadSource
  try {
    read = await readPluginSource(dirname(path), basename(path))
  } catch (error) {
    return reject('source', error)
  }
  try {
    return await inspect(read, options)
  } catch (error) {
    return reject('init.lua', error)
  }
}

/** Runs init.lua without values, and with those that it gets here when it does not get to its end without. */
async function inspect(
  read: ReadSource,
  { sandbox, settings, configs = new PluginConfigs() }: ValidatorOptions,
): Promise<ValidationReport> {
  const { inspection, pluginInfo, failure } = await inspectUnconfigured(sandbox, read.source, settings)
  if (inspection !== undefined) return report(inspection, read)
  const { manifest, problems, warnings } = parseManifest(pluginInfo)
  if (manifest === undefined) return { errors: problems, warnings, routes: [], grants: [], migrations: [] }
  const { values, problems: wrong } = configs.resolve(manifest)
  if (wrong.length === 0) {
    return report(await sandbox.inspect(read.source, { ...settings, configuration: values }), read)
  }
  const message = `init.lua does not get to its end without its values: ${describeProblems(wrong)}`
  const rejected = reject('init.lua', failure)
  return { ...rejected, warnings: [...warnings, { field: 'config_schema', message }] }
}

function report(inspection: Inspection, { sqlFiles }: ReadSource): ValidationReport {
  const { manifest, problems, warnings } = parseManifest(inspection.pluginInfo)
  const routes = routesOf(inspection.registrations)
  const migrations = manifest && readMigrations(manifest.name, sqlFiles, inspection.registrations)
  const wrong = migrations?.problems.map((message) => ({ field: 'migrations', message })) ?? []
  const grants = manifest === undefined ? [] : declaredGrants(inspection.registrations, manifest)
  return {
    ...(manifest === undefined
      ? {}
      : { name: manifest.name, version: manifest.version, description: manifest.description }),
    errors: [...problems, ...wrong],
    warnings: [...warnings, ...warnOfMissing(inspection)],
    routes: routes.map(declaredRoute),
    grants,
    migrations:
      migrations?.list.map(({ version, description, down }) => {
        return { version, description, reversible: down !== undefined }
      }) ?? [],
  }
}

function warnOfMissing({ hasOnInit }: Inspection): readonly ManifestProblem[] {
  if (hasOnInit) return []
  return [{ field: 'on_init', message: 'there is no function on_init; tables are defined in it' }]
}

function reject(field: string, error: unknown): ValidationReport {
  return {
    errors: [{ field, message: reasonOf(error) }],
    warnings: [],
    routes: [],
    grants: [],
    migrations: [],
  }
}
