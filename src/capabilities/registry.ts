import { authCapability } from './auth/capability.js'
import { configCapability } from './config/capability.js'
import { coreCapability } from './core/capability.js'
import { createCryptoCapability } from './crypto/capability.js'
import { createDbCapability } from './db/capability.js'
import { createSessionLookup } from './db/session.js'
import type { Capability } from './define.js'
import { gatewayCapability } from './gateway/capability.js'
import { hooksCapability } from './hooks/capability.js'
import { httpCapability } from './http/capability.js'
import { jsonCapability } from './json.js'
import { createKvCapability } from './kv/capability.js'
import { createKvLookup } from './kv/session.js'
import { createLogCapability, type LogCapability } from './log.js'
import { createMetricsCapability } from './metrics/capability.js'
import { requestCapability } from './request/capability.js'
import { secretsCapability } from './secrets/capability.js'

/**
 * All Lua modules, in the order of the reference.
 *
 * @param log The module `log` of this thread; one of its own when missing.
 */
export function createCapabilities(log: LogCapability = createLogCapability()): readonly Capability[] {
  const sessions = createSessionLookup()
  return [
    createDbCapability(sessions),
    createKvCapability({ kv: createKvLookup(), database: sessions }),
    httpCapability,
    hooksCapability,
    gatewayCapability,
    log,
    createMetricsCapability(),
    jsonCapability,
    createCryptoCapability(),
    secretsCapability,
    coreCapability,
    requestCapability,
    authCapability,
    configCapability,
  ]
}
