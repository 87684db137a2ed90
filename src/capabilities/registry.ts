import { dbCapability } from './db/capability.js'
import type { Capability } from './define.js'
import { httpCapability } from './http/capability.js'
import { jsonCapability } from './json.js'
import { createLogCapability } from './log.js'

/** All Lua modules, in the order of the reference. */
export function createCapabilities(): readonly Capability[] {
  return [dbCapability, httpCapability, createLogCapability(), jsonCapability]
}
