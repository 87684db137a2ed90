import { loadConfig } from './config/load.js'
import { generationSettings } from './host/generation-settings.js'
import { createValidator, type Validator } from './plugins/validator.js'
import { createSandbox } from './sandbox/thread-sandbox.js'

/**
 * Opens a validator with a sandbox of its own, for use without a server. The plugin's code can reach no database:
 * only its module scope runs, where there is none.
 */
export async function openValidator(): Promise<Validator> {
  const { config } = loadConfig({ defaultFile: 'config.json', environment: process.env })
  const sandbox = createSandbox({
    entry: new URL('./executor.bundle.cjs', import.meta.url),
    composition: { databaseFile: '' },
    executors: 1,
    isShared: false,
  })
  return createValidator({ sandbox, settings: generationSettings(config) })
}
