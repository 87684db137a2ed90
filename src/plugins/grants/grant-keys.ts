import type { Access } from '../manifest.js'

/** Gives the key of the grant of access to a core table. */
export function coreKey(table: string, access: Access): string {
  return `${table}:${access}`
}

/** Takes the key of a core table apart; no access has a colon, the name that a plugin asks for may. */
export function parseCoreKey(key: string): { readonly table: string; readonly access: Access } {
  const [table, access] = splitKey(key)
  return { table, access }
}

/** Gives the key of the grant of access to a shared key-value namespace, which goes by its name without `shared:`. */
export function kvKey(namespace: string, access: Access): string {
  return `${namespace}:${access}`
}

/** Takes the key of a shared namespace apart. */
export function parseKvKey(key: string): { readonly namespace: string; readonly access: Access } {
  const [namespace, access] = splitKey(key)
  return { namespace, access }
}

function splitKey(key: string): readonly [name: string, access: Access] {
  const colon = key.lastIndexOf(':')
  return [key.slice(0, colon), key.slice(colon + 1) === 'write' ? 'write' : 'read']
}
