import type { StageScope } from '../../capabilities/gateway/stage-rules.js'
import type { Exchange } from '../../gateway/exchange.js'
import { compilePaths } from '../../gateway/path-pattern.js'

/**
 * Tells whether a stage is for a request, by its method and path. Also a path that only others read as one of its own
 * counts: a guard must hold for all spellings of what it guards.
 *
 * @param isUntouched Whether a path is one that no stage of a plugin sees.
 */
export function createScopeMatcher(
  scope: Pick<StageScope, 'methods' | 'paths'>,
  isUntouched: (path: string) => boolean,
): (exchange: Exchange) => boolean {
  const isForPath = compilePaths(scope.paths)
  const methods = coveredMethods(scope.methods)
  return ({ method, path, loosePath }) => {
    if (methods !== undefined && !methods.has(method)) return false
    const isMeant = isForPath(path) || (loosePath !== path && isForPath(loosePath))
    return isMeant && !isUntouched(path)
  }
}

/** The methods that a stage sees, undefined for all: HEAD answers what GET does, so a stage for one guards the other. */
function coveredMethods(methods: readonly string[]): ReadonlySet<string> | undefined {
  if (methods.length === 0) return undefined
  return new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)
}
