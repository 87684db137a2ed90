/**
 * The typed client of a modulacms server: `import { createClient } from 'modulacms/client'`.
 *
 * @module
 */
export {
  type ApprovalClient,
  type Client,
  type ClientOptions,
  createClient,
  type PipelineClient,
  type PluginClient,
  type RequestClient,
  type RouteClient,
} from './client.js'
export { ClientError, type ClientErrorFacts } from './client-error.js'
export type {
  ApprovalDiff,
  ApprovalItem,
  ApprovalKind,
  BreakerResult,
  BreakerState,
  Capability,
  CapabilityReport,
  CleanupPreview,
  CleanupResult,
  CoreListing,
  CoreReference,
  DisabledReason,
  DomainListing,
  DomainReference,
  DroppedApproval,
  FormerApproval,
  Health,
  HookListing,
  HookReference,
  KvAccessListing,
  KvAccessReference,
  Listener,
  Metric,
  PipelineChain,
  PipelineListing,
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
