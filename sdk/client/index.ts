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
  type RequestClient,
  type RouteClient,
} from './client.js'
export { ClientError, type ClientErrorFacts } from './client-error.js'
export type {
  BreakerState,
  CleanupPreview,
  CleanupResult,
  Health,
  PluginDetails,
  PluginState,
  PluginSummary,
  ReloadResult,
  RequestBreaker,
  RouteListing,
  RouteReference,
  SchemaDrift,
  StateResult,
} from './types.js'
