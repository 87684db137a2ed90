import type { CoreDatabase } from '../../database/database.js'
import type { GatewayLog } from '../pipeline.js'
import type { Stage } from '../stage.js'
import { readBasenames } from './basenames.js'
import { shellNotConfigured } from './errors.js'
import { HostTable } from './host-table.js'
import { type ShellExclude, ShellExcludes } from './shell-excludes.js'
import { ShellSite } from './shell-site.js'
import { type Admit, createShellStages } from './shell-stages.js'

/** A shell of one host, or of all hosts below a name. */
export interface ShellHost {
  /** `app.example.com` or `*.example.com`; the exact one wins, then the longest. */
  readonly host: string
  /** As `ShellOptions.dir`, but never empty. */
  readonly dir: string
}

export interface ShellOptions {
  /** Directory with `dist/index.html` or `index.html`, the shell of all hosts without their own; '' for none. */
  readonly dir: string
  readonly hosts: readonly ShellHost[]
  /** Basenames that never get the shell: a text with commas, or a list. Invalid ones are logged and left out. */
  readonly envExcludes: string | readonly string[]
  /** Paths that never get the shell, with everything below them, e.g. `/api`. */
  readonly apiPrefixes: readonly string[]
  /** Decides whether a request that the shell would answer may be; all may when missing. */
  readonly admit?: Admit
  readonly database: CoreDatabase
  readonly log: GatewayLog
}

/** The shell as operators see it. */
export interface ShellView {
  /** False without any shell. */
  readonly enabled: boolean
  /** Null when there is none, or only of single hosts. */
  readonly dir: string | null
  readonly envExcludes: readonly string[]
  /** Those of the environment first, then the oldest; each basename once. */
  readonly excludes: readonly ShellExclude[]
  readonly hosts: readonly ShellHost[]
}

/**
 * One application that answers all page loads and shows the others in frames. It also serves the files of its own
 * build, as far as nothing else of the host has their paths.
 */
export interface Shell {
  /** None without any shell. */
  readonly stages: readonly Stage[]
  view(): ShellView
  /**
   * Takes the pages of a basename from the shell, at once and until `remove`.
   *
   * @param by Name of the user or plugin that does it.
   * @returns False when that was so already.
   * @throws `SHELL_NOT_CONFIGURED`, `SHELL_BASENAME_INVALID`, `SHELL_BASENAME_IN_ENVIRONMENT`, or
   * `SHELL_EXCLUDES_EXHAUSTED`.
   */
  exclude(basename: string, by: string): Promise<boolean>
  /**
   * Gives the pages of a basename back to the shell.
   *
   * @returns False when it was not excluded.
   * @throws `SHELL_NOT_CONFIGURED` or `SHELL_BASENAME_NOT_REMOVABLE`.
   */
  remove(basename: string): Promise<boolean>
  /** Takes in what is excluded now, e.g. by another process on the same database. */
  refresh(): Promise<void>
}

/**
 * Opens the directories of the shells and loads what is excluded from them.
 *
 * @throws `SHELL_DIR_INVALID` or `SHELL_HOST_INVALID`.
 */
export async function createShell(options: ShellOptions): Promise<Shell> {
  const { dir, hosts, log, database, apiPrefixes, admit } = options
  const isEnabled = dir !== '' || hosts.length > 0
  const { basenames, invalid } = readBasenames(options.envExcludes)
  for (const basename of invalid) {
    log.warn({ basename }, 'an exclude of the shell is left out: basenames have letters, digits, "_" and "-"')
  }
  const excludes = await ShellExcludes.load(basenames, database)
  const sites = await openSites(options)
  if (isEnabled) log.info({ dir, hosts, excludes: basenames }, 'the shell answers page loads')
  const requireShell = (): void => {
    if (!isEnabled) throw shellNotConfigured()
  }
  return {
    stages: isEnabled ? createShellStages({ sites, excludes, apiPrefixes, admit, log }) : [],
    view: () => ({
      enabled: isEnabled,
      dir: dir === '' ? null : dir,
      envExcludes: basenames,
      excludes: excludes.list(),
      hosts,
    }),
    exclude: async (basename, by) => {
      requireShell()
      return excludes.add(basename, by)
    },
    remove: async (basename) => {
      requireShell()
      return excludes.remove(basename)
    },
    refresh: () => excludes.refresh(),
  }
}

/** Shells of the same directory share what they keep in memory. */
async function openSites({ dir, hosts, log }: ShellOptions): Promise<HostTable<ShellSite>> {
  const dirs = [...new Set([...(dir === '' ? [] : [dir]), ...hosts.map((host) => host.dir)])]
  const opened = await Promise.all(dirs.map(async (each) => [each, await ShellSite.open(each, log)] as const))
  const sites = new Map(opened)
  const entries = hosts.map(({ host, dir: own }) => [host, sites.get(own) as ShellSite] as const)
  return new HostTable(entries, sites.get(dir))
}
