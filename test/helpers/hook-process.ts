import { loadConfig } from '../../src/config/load.js'
import { createHost } from '../../src/host.js'
import { createLogger } from '../../src/telemetry/logger.js'

// A process of its own that writes rows with after-hooks until it is killed: node hook-process.js <folder> <first>
const [, , folder = '', first = '0'] = process.argv
const { config } = loadConfig({
  environment: {},
  flags: {
    plugin_enabled: true,
    plugin_timeout: 1,
    data_directory: `${folder}/data`,
    plugin_directory: `${folder}/plugins`,
  },
})
const log = createLogger({ level: 'error', format: 'json' })
const host = await createHost({ config, log, approvesHook: () => true })
for (let n = Number(first); ; n += 1) {
  await host.hooks.run('after_create', 'articles', { n })
  // Written only when the promise was kept: what stands here must be delivered.
  process.stdout.write(`${n}\n`)
}
