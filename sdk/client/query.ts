/** Writes a query with its `?`; members without a value are left out, and without any it is empty. */
export function queryOf(query: object): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value))
  return words.size === 0 ? '' : `?${words}`
}
