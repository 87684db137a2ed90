import type { Config } from '../config/schema.js'
import type { GenerationSettings } from '../sandbox/settings.js'

/** Gives the limits that the configuration sets for every generation of every plugin. */
export function generationSettings(config: Config): GenerationSettings {
  return {
    vms: config.plugin_max_vms,
    reservedVms: Math.min(config.plugin_hook_reserve_vms, config.plugin_max_vms - 1),
    memoryBytesMax: config.plugin_max_memory,
    instructionsMax: config.plugin_max_instructions,
    timeoutMs: config.plugin_timeout * 1000,
    operationsMax: config.plugin_max_ops,
    storageBytesMax: config.plugin_storage_quota,
    extra: {
      routesMax: config.plugin_max_routes,
      responseBytesMax: config.plugin_max_response_body,
      outboundBodyBytesMax: config.plugin_request_max_body,
    },
  }
}
