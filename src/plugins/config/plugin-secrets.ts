import { secretLimits } from '../../base/limits/secrets.js'
import { type ConfigSchema, isSecret } from './schema.js'

/** Where the secrets that a manifest lists stand among the values of a plugin. */
export const secretsMember = 'secrets'

/**
 * Adds the secrets that a manifest lists to the schema of its values, so that they are read, replaced by variables and
 * checked like those.
 *
 * @returns The schema; undefined when the plugin takes no values at all.
 */
export function withSecrets(
  schema: ConfigSchema | undefined,
  names: readonly string[],
): ConfigSchema | undefined {
  if (names.length === 0) return schema
  const { charactersMin: minLength, charactersMax: maxLength } = secretLimits
  const value: ConfigSchema = { type: 'string', secret: true, minLength, maxLength }
  const member: ConfigSchema = {
    type: 'object',
    secret: true,
    properties: Object.fromEntries(names.map((name) => [name, value])),
    additionalProperties: false,
  }
  const own = schema ?? { type: 'object', additionalProperties: false }
  return { ...own, properties: { ...own.properties, [secretsMember]: member } }
}

/**
 * Gives what `secrets.get` knows: the names of the manifest, and the dotted keys of secret values in the schema of the
 * plugin; null for what the operator has not set.
 *
 * @param found Secrets by the dotted key of where they stand.
 */
export function readableSecrets(
  schema: ConfigSchema | undefined,
  names: readonly string[],
  found: ReadonlyMap<string, string>,
): Readonly<Record<string, string | null>> {
  const keys = [...secretKeys(schema, []), ...found.keys()]
  const own = keys.filter((key) => names.length === 0 || !key.startsWith(`${secretsMember}.`))
  const readable = new Map<string, string | null>(own.map((key) => [key, found.get(key) ?? null]))
  for (const name of names) readable.set(name, found.get(`${secretsMember}.${name}`) ?? null)
  return Object.fromEntries(readable)
}

function secretKeys(schema: ConfigSchema | undefined, path: readonly string[]): readonly string[] {
  if (schema === undefined) return []
  if (path.length > 0 && isSecret(schema) && schema.properties === undefined) return [path.join('.')]
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    secretKeys(inner, [...path, name]),
  )
}
