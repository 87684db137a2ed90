import { manifestLimits } from '../base/limits/plugins.js'

/** Last parts of admin paths that a plugin of that name would be hidden behind. */
export const reservedPluginNames: readonly string[] = ['routes', 'hooks', 'requests', 'core', 'kv', 'cleanup']

/**
 * Says what is wrong with a plugin's name, or undefined when it is right: 1 to 32 characters of a-z, 0-9 and `_`,
 * the last no `_`, and none of the reserved names.
 */
export function findNameProblem(name: string): string | undefined {
  if (name === '') return 'name is required: plugin_info.name must be a text of a-z, 0-9 and _'
  const bytes = Buffer.byteLength(name)
  if (bytes > manifestLimits.nameBytesMax) {
    return `name exceeds ${manifestLimits.nameBytesMax} characters: it has ${bytes}`
  }
  const invalid = /[^a-z0-9_]/u.exec(name)
  if (invalid !== null) {
    return `name has an invalid character ${JSON.stringify(invalid[0])}; only a-z, 0-9 and _ are allowed`
  }
  if (name.endsWith('_')) return `name "${name}" has a trailing underscore; end it with a letter or a digit`
  if (reservedPluginNames.includes(name)) {
    return `name "${name}" is reserved for the admin API; choose another`
  }
  return undefined
}
