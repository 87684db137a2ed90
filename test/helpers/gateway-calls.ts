import { PluginCache } from '../../src/gateway/cache/plugin-cache.js'
import { RequestLog } from '../../src/gateway/monitor/request-log.js'
import { PluginLimits } from '../../src/gateway/rate-limit/plugin-limits.js'
import type { Shell } from '../../src/gateway/shell/shell.js'
import { createGatewayCalls, type GatewayCall } from '../../src/plugins/gateway/gateway-calls.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'

export interface GatewayCallsParts {
  readonly limits?: PluginLimits
  readonly cache?: PluginCache
  readonly requestLog?: RequestLog
  readonly shell?: Pick<Shell, 'view' | 'exclude' | 'remove'>
  /** What all plugins are granted, e.g. `log:read`; looked at at each call. */
  readonly granted?: ReadonlySet<string>
}

const noShell: Pick<Shell, 'view' | 'exclude' | 'remove'> = {
  view: () => ({ enabled: false, dir: null, envExcludes: [], excludes: [], hosts: [] }),
  exclude: async () => false,
  remove: async () => false,
}

/** The real answers to what plugins ask of the gateway, on parts of a test. */
export function gatewayCalls(parts: GatewayCallsParts = {}): ReadonlyMap<string, GatewayCall> {
  const { limits = new PluginLimits(), cache = new PluginCache(), requestLog = new RequestLog() } = parts
  const { shell = noShell, granted = new Set() } = parts
  return createGatewayCalls({
    directory: {
      grantsOf: () =>
        GrantTable.create(
          [...granted].map((key) => ({ kind: 'gateway', key, description: '', approved: true })),
        ),
    },
    memory: { limits, cache },
    figures: { requestLog, limiter: undefined, cache: undefined, shell, cors: { rules: () => [] } },
    shell,
  })
}
