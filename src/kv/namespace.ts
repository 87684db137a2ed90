import { kvLimits } from '../base/limits/kv.js'
import { kvNamespaceInvalid } from './errors.js'

/** What the names of shared namespaces look like, without `shared:`. */
export const sharedNamePattern = new RegExp(`^[a-z][a-z0-9_-]{0,${kvLimits.namespaceCharactersMax - 1}}$`)

/** The shared namespace that HTTP clients work in when they name none. */
export const defaultNamespace = 'shared:default'

/** Names the namespace of a plugin; only the plugin itself, operators and the embedding application reach it. */
export function pluginNamespace(plugin: string): string {
  return `plugin:${plugin}`
}

/**
 * Names a namespace that several plugins can use, once that is approved.
 *
 * @throws `KV_NAMESPACE_INVALID`.
 */
export function sharedNamespace(name: string): string {
  if (!sharedNamePattern.test(name)) {
    const shown = name.slice(0, kvLimits.shownCharacters)
    throw kvNamespaceInvalid({ name: shown, charactersMax: kvLimits.namespaceCharactersMax })
  }
  return `shared:${name}`
}

/**
 * Reads the full name of a namespace, as operators give it.
 *
 * @param name `plugin:<plugin>`, `shared:<name>`, or `<name>` for a shared one.
 * @throws `KV_NAMESPACE_INVALID`.
 */
export function parseNamespace(name: string): string {
  if (name.startsWith('shared:')) return sharedNamespace(name.slice('shared:'.length))
  if (!name.startsWith('plugin:')) return sharedNamespace(name)
  sharedNamespace(name.slice('plugin:'.length))
  return name
}
