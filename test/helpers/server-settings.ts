import { type ConfigInput, completeConfig } from '../../src/config/complete.js'
import { readServerSettings } from '../../src/host/server-settings.js'
import type { ServerSettings } from '../../src/server/settings.js'

/** The settings of a server with some keys of the section `server` changed. */
export function serverSettings(changes: NonNullable<ConfigInput['server']> = {}): ServerSettings {
  return readServerSettings(completeConfig({ server: changes }), undefined)
}
