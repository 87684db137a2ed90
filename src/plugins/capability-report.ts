import type { CapabilityDrift, CapabilityReport } from './administration.js'
import type { ManifestCapability } from './manifest.js'
import type { PluginEntry } from './plugin-entry.js'

/** Compares the capabilities of a plugin's loaded manifest with those that are stored. */
export function reportCapabilities(
  { name, manifest }: PluginEntry,
  stored: readonly ManifestCapability[],
): CapabilityReport {
  const capabilities = manifest?.capabilities ?? []
  return { plugin: name, capabilities, drift: driftOf(capabilities, stored) }
}

function driftOf(
  loaded: readonly ManifestCapability[],
  stored: readonly ManifestCapability[],
): readonly CapabilityDrift[] {
  const before = new Map(stored.map((capability) => [keyOf(capability), capability]))
  const after = new Map(loaded.map((capability) => [keyOf(capability), capability]))
  const changes = [...after].map(([key, current]): CapabilityDrift | undefined => {
    const previous = before.get(key)
    if (previous === undefined) return { kind: 'added', current }
    const isSame = previous.handler === current.handler && previous.priority === current.priority
    return isSame ? undefined : { kind: 'changed', current, previous }
  })
  const removed = [...before]
    .filter(([key]) => !after.has(key))
    .map(([, previous]): CapabilityDrift => ({ kind: 'removed', previous }))
  return [...changes.filter((change) => change !== undefined), ...removed]
}

function keyOf({ table, op }: ManifestCapability): string {
  return JSON.stringify([table, op])
}
