import { defineError } from '../../base/errors.js'

/** Something was to be taken out of a cache that is off. */
export const cacheNotEnabled = defineError('CACHE_NOT_ENABLED', 400, 'Cache not enabled')

/** What is to be taken out of the cache cannot be read. */
export const invalidationInvalid = defineError(
  'CACHE_INVALIDATION_INVALID',
  400,
  'The body {problem}; send one of {"key":"GET:/path?query"}, {"tag":"name"}, {"pattern":"/path/*"}, or {} for everything.',
)

/** Raised at start when the cache is to hold answers to a method that cannot be held. */
export const cacheMethodInvalid = defineError(
  'CACHE_METHOD_INVALID',
  500,
  'The cache cannot hold answers to {method}; only GET can be held, and HEAD is answered from it.',
)

/** Raised at start for a name of `varyBy` that is no name of a header. */
export const varyByInvalid = defineError(
  'CACHE_VARY_BY_INVALID',
  500,
  'The name "{name}" in varyBy of the cache is no name of a header; write e.g. "accept-language".',
)

/** A plugin gave its cache something that it does not hold. */
export const pluginCacheRefused = defineError(
  'PLUGIN_CACHE_REFUSED',
  400,
  'The cache does not take this {what} of {value}; the limit is {limit}.',
)
