import type { StageScope } from '../../capabilities/gateway/stage-rules.js'
import type { Exchange } from '../../gateway/exchange.js'
import { compilePaths } from '../../gateway/path-pattern.js'

/**
 * Makes the function that tells which requests a stage is for, by their methods and paths: also by the path as a server
 * behind may read it. What stands for a stage that cannot run is for the same ones.
 *
 * @param isUntouched Tells paths that no stage of a plugin sees.
 */
export function concernedBy(
  { methods, paths }: Pick<StageScope, 'methods' | 'paths'>,
  isUntouched: (path: string) => boolean,
): (exchange: Exchange) => boolean {
  const covered = coveredMethods(methods)
  const isForPath = compilePaths(paths)
  return ({ method, path, loosePath }) => {
    if (covered !== undefined && !covered.has(method)) return false
    return (isForPath(path) || (loosePath !== path && isForPath(loosePath))) && !isUntouched(path)
  }
}

/** The methods that a stage sees, undefined for all: HEAD answers what GET does, so a stage for one guards the other. */
function coveredMethods(methods: readonly string[]): ReadonlySet<string> | undefined {
  if (methods.length === 0) return undefined
  return new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)
}
