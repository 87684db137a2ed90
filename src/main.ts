import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { HostError, messageOf } from './base/errors.js'
import { serverLimits } from './base/limits/server.js'
import { Redactor } from './base/redactor.js'
import { type LoadConfigOptions, type ReadConfig, readConfig } from './config/load.js'
import { toConfigError } from './config/problems.js'
import type { Config } from './config/schema.js'
import { checkConfig } from './config-check.js'
import { gatewaySummary } from './host/gateway-summary.js'
import { findPolicyProblems } from './host/policies.js'
import { createHost, type Host, type HostOptions } from './host.js'
import type { ReloadTimes } from './plugins/watch/reload-schedule.js'
import { startupText } from './startup-text.js'
import { createLogger } from './telemetry/logger.js'

const fewCores = 4

/** Codes of starts that fail for what is written in the configuration. */
const configurationCodes = ['CONFIG_INVALID', 'AUTH_SETTINGS_INVALID']

/** Flags of `modulacms serve`; they win over the environment and the file. */
export interface ServerFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly data?: string
  readonly plugins?: string
}

/** A server that listens. */
export interface ServerFacts {
  readonly config: Config
  readonly host: Host
  readonly url: string
}

/** What a command adds to a server that it runs. */
export interface ServerCompanion {
  /** Settings by dotted key, which win over file and environment. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Times of hot reload. */
  readonly hotReload: ReloadTimes
  /** Looks at the settings before anything is opened; what it throws ends the server. */
  prepare(config: Config): void
  /** Takes the lines of the log, each a JSON object. */
  writeLog(line: string): void
  /** Called when the server listens; its lines come after the summary of the start. */
  started(facts: ServerFacts): Promise<void>
}

/**
 * Serves until the process is told to stop by SIGINT or SIGTERM; a second signal ends it at once.
 *
 * @returns The exit code: 0 after an orderly stop, 1 when the server could not start, 7 for a faulty configuration.
 */
export async function runServer(
  flags: ServerFlags,
  environment: Readonly<Record<string, string | undefined>>,
  companion?: ServerCompanion,
): Promise<number> {
  // With few cores the helper threads of the garbage collector take time from requests instead of giving it.
  if (availableParallelism() <= fewCores) setFlagsFromString('--no-parallel-scavenge')
  try {
    const read: LoadConfigOptions = {
      ...(flags.config === undefined ? { defaultFile: 'config.json' } : { file: flags.config }),
      environment,
      flags: {
        ...companion?.settings,
        'server.host': flags.host,
        'server.port': flags.port,
        data_directory: flags.data,
        plugin_directory: flags.plugins,
      },
    }
    const { config, plugins: pluginSections } = await loadWhole(read)
    companion?.prepare(config)
    const stop = stopSignal()
    const redactor = new Redactor()
    const attached = attach(config, companion, redactor)
    const host = await createHost({ config, pluginSections, redactor, environment, ...attached })
    try {
      // Somebody who has asked to stop while plugins were loaded wants no port to be opened any more.
      if (!stop.aborted) {
        const url = await host.app.listen({ host: config.server.host, port: config.server.port })
        process.stdout.write(
          startupText({
            url,
            host,
            isPluginSystemOn: config.plugin_enabled,
            gateway: gatewaySummary(config),
          }),
        )
        await companion?.started({ config, host, url })
        await aborted(stop)
      }
    } finally {
      await closeInTime(host)
    }
    return 0
  } catch (error) {
    process.stderr.write(`modulacms: ${messageOf(error)}\n`)
    return error instanceof HostError && configurationCodes.includes(error.code) ? 7 : 1
  }
}

/**
 * Reads the configuration.
 *
 * @throws `CONFIG_INVALID` naming all problems at once, those of the values of plugins included.
 */
async function loadWhole(options: LoadConfigOptions): Promise<ReadConfig> {
  const read = readConfig(options)
  const problems = [...read.problems, ...(await findPolicyProblems(read.config))]
  // The start names what is wrong with values of plugins by itself, but it is not reached here.
  if (problems.length > 0) throw toConfigError((await checkConfig(options)).problems)
  return read
}

/** The host's options that come from a companion. */
function attach(
  { log }: Config,
  companion: ServerCompanion | undefined,
  redactor: Redactor,
): Partial<HostOptions> {
  if (companion === undefined) return {}
  const destination = { write: (line: string) => companion.writeLog(line) }
  return {
    log: createLogger({ level: log.level, format: 'json', destination, redactor }),
    hotReload: companion.hotReload,
  }
}

/** Gives what is aborted at the first signal to stop. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('modulacms: stopping, requests in flight are finished (again to stop at once)\n')
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Closes the host; a host that takes too long does not keep the process. */
async function closeInTime(host: Host): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write('modulacms: the shutdown took too long\n')
    process.exit(1)
  }, serverLimits.shutdownMs)
  await host.close()
  clearTimeout(timer)
}
