import type { CoreAccess } from '../manifest.js'

/** Gives the key of the grant of a hook: all handlers of a plugin for one event and table share it. */
export function hookKey(event: string, table: string): string {
  return `${event}:${table}`
}

/** Takes the key of a hook apart; no event has a colon, tables may. */
export function parseHookKey(key: string): { readonly event: string; readonly table: string } {
  const colon = key.indexOf(':')
  return { event: key.slice(0, colon), table: key.slice(colon + 1) }
}

/** Gives the key of the grant of access to a core table. */
export function coreKey(table: string, access: CoreAccess): string {
  return `${table}:${access}`
}

/** Takes the key of a core table apart; no access has a colon, the name that a plugin asks for may. */
export function parseCoreKey(key: string): { readonly table: string; readonly access: CoreAccess } {
  const colon = key.lastIndexOf(':')
  return { table: key.slice(0, colon), access: key.slice(colon + 1) === 'write' ? 'write' : 'read' }
}
