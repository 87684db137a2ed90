import type { CoreAccess } from '../manifest.js'

/** Gives the key of the grant of access to a core table. */
export function coreKey(table: string, access: CoreAccess): string {
  return `${table}:${access}`
}

/** Takes the key of a core table apart; no access has a colon, the name that a plugin asks for may. */
export function parseCoreKey(key: string): { readonly table: string; readonly access: CoreAccess } {
  const colon = key.lastIndexOf(':')
  return { table: key.slice(0, colon), access: key.slice(colon + 1) === 'write' ? 'write' : 'read' }
}
