import { resolve } from 'node:path'
import { loadConfig } from '../src/config/load.js'
import type { CliContext } from './context.js'

/** What commands need to know of the configuration; paths are absolute. */
export interface CliSettings {
  readonly dataDirectory: string
  readonly pluginDirectory: string
  /** Where the server listens, as a client reaches it. */
  readonly url: string
}

/** Flags that change where the settings come from. */
export interface SettingsFlags {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly plugins?: string | undefined
}

/**
 * Reads the configuration that a server started in the same folder would read.
 *
 * @throws HostError `CONFIG_INVALID`.
 */
export function loadSettings(context: CliContext, flags: SettingsFlags): CliSettings {
  const absolute = (path: string) => resolve(context.workingDirectory, path)
  const { config } = loadConfig({
    ...(flags.config === undefined ? {} : { file: absolute(flags.config) }),
    defaultFile: absolute('config.json'),
    environment: context.environment,
    flags: {
      ...(flags.data === undefined ? {} : { data_directory: flags.data }),
      ...(flags.plugins === undefined ? {} : { plugin_directory: flags.plugins }),
    },
  })
  return {
    dataDirectory: absolute(config.data_directory),
    pluginDirectory: absolute(config.plugin_directory),
    url: urlOf(config.server.host, config.server.port),
  }
}

/** A server that listens everywhere is reached over the loopback address. */
function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
