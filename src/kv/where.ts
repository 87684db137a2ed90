/**
 * A filter over values: an object whose members are paths with what must hold there, or `$and`, `$or` and `$not`. All
 * members of it must hold; `where/compile-where.ts` says what there is.
 */
export type Where = Readonly<Record<string, unknown>>
