/**
 * The typed client of a modulacms server: `import { createClient } from 'modulacms/client'`.
 *
 * @module
 */
export {
  type Client,
  type ClientOptions,
  createClient,
  type PluginClient,
  type RouteClient,
} from './client.js'
export { ClientError, type ClientErrorFacts } from './client-error.js'
export type {
  BreakerResult,
  BreakerState,
  CleanupPreview,
  CleanupResult,
  Health,
  Metric,
  PluginDetails,
  PluginState,
  PluginSummary,
  ReloadResult,
  RouteListing,
  RouteReference,
  SchemaDrift,
  StateResult,
} from './types.js'
