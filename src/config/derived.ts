import type { Given, Layer } from './layers.js'

/** Moves the default database along with a data directory that somebody chose. */
export function placeDatabase(values: Map<string, Given>): void {
  const directory = values.get('data_directory')
  if (values.get('database_url')?.origin !== 'default' || !directory || directory.origin === 'default') return
  const folder = String(directory.value).replace(/(?<=.)\/+$/, '')
  values.set('database_url', {
    value: `sqlite:${folder === '/' ? '' : folder}/modula.db`,
    origin: `data_directory (${directory.origin})`,
  })
}

/** Switches a part on of which somebody gave a key, or the object without any, and did not say whether it is on. */
export function switchOn(group: string, values: Map<string, Given>, layers: readonly Layer[]): void {
  const key = `${group}.enabled`
  if (values.get(key)?.origin !== 'default') return
  const given = [...values].find(([name, { origin }]) => name.startsWith(`${group}.`) && origin !== 'default')
  const origin = given?.[1].origin ?? layers.map((layer) => layer.emptyGroups.get(group)).find(Boolean)
  if (origin === undefined) return
  values.set(key, { value: true, origin: `${given?.[0] ?? group} (${origin})` })
}
