/** A filter over values; see `where/`. */
export type Where = Readonly<Record<string, unknown>>
