/**
 * Whether something holds. `error` says that nobody can tell, and `pending` that a plugin has to be asked first, so
 * that it could become anything.
 */
export type Truth = boolean | 'error' | 'pending'

/** True when all are; one that does not hold decides, whatever the others are. */
export function every<T>(items: readonly T[], holds: (item: T) => Truth): Truth {
  return fold(items, holds, false)
}

/** True when one is; one that holds decides, whatever the others are. */
export function some<T>(items: readonly T[], holds: (item: T) => Truth): Truth {
  return fold(items, holds, true)
}

/** Looks no further than the first item that decides. */
function fold<T>(items: readonly T[], holds: (item: T) => Truth, decides: boolean): Truth {
  let result: Truth = !decides
  for (const item of items) {
    const truth = holds(item)
    if (truth === decides) return decides
    // What could still become decisive goes before what cannot be told.
    if (truth === 'pending' || (truth === 'error' && result !== 'pending')) result = truth
  }
  return result
}

export function not(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth
}
