/**
 * The typed client of a modulacms server: `import { createClient } from 'modulacms/client'`.
 *
 * @module
 */
export type {
  Account,
  AccountFields,
  AccountPage,
  AccountQuery,
  AccountRole,
  AccountSession,
  ApiKey,
  ApiKeyFields,
  ApiKeyPage,
  ApiKeyQuery,
  IssuedApiKey,
} from './account-types.js'
export type { KeyClient, RoleClient, UserClient } from './accounts.js'
export type { AuthClient } from './auth.js'
export type { AuthAccess, AuthMatch, AuthParty, AuthRule, AuthStatus, SignInProvider } from './auth-types.js'
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
export type { GatewayClient } from './gateway.js'
export type {
  GatewayBucket,
  GatewayCacheStats,
  GatewayCorsContent,
  GatewayCorsRule,
  GatewayInvalidation,
  GatewayLimitMetrics,
  GatewayLogEntry,
  GatewayLogQuery,
  GatewayLogStats,
  GatewayProxyFields,
  GatewayProxyRule,
  GatewayShellExclude,
  GatewayStage,
  GatewayStats,
} from './gateway-types.js'
export type { KvAtomic } from './kv/atomic.js'
export type { KvDuration } from './kv/duration.js'
export type { KvDlq } from './kv/flat-names.js'
export { Kv, type KvOptions } from './kv/kv.js'
export type { KvListenOptions, KvMessageHandler } from './kv/listen.js'
export type { KvQueues } from './kv/queues.js'
export type { KvSearch } from './kv/search.js'
export type { KvTransaction } from './kv/transaction.js'
export type {
  KvCheck,
  KvCommitResult,
  KvDeadLetter,
  KvDeadLetterOptions,
  KvDeleteOptions,
  KvEnqueueOptions,
  KvEntry,
  KvHit,
  KvIndex,
  KvIndexOptions,
  KvLease,
  KvList,
  KvListOptions,
  KvMessage,
  KvMetrics,
  KvMutations,
  KvPage,
  KvPageOptions,
  KvQueueStats,
  KvSearchOptions,
  KvSelector,
  KvSetOptions,
  KvSubscription,
  KvTransactionOptions,
  KvTransactionResult,
  KvWhere,
} from './kv/types.js'
export { type KvKey, type KvKeyPart, KvNow, type KvObject, KvU64, type KvValue } from './kv/value.js'
export type { KvBatch, KvChange, KvWatchHandler, KvWatchOptions, KvWatchTarget } from './kv/watch-types.js'
export type {
  AdoptResult,
  MigrateDownResult,
  MigrateUpResult,
  Migration,
  MigrationReport,
} from './migration-types.js'
export type { MigrationClient } from './migrations.js'
export type { OwnAccountClient } from './own-account.js'
export type {
  CallerIdentity,
  OwnAccount,
  OwnApiKeyFields,
  OwnApiKeyQuery,
  OwnSession,
  PasswordChange,
  SignIn,
  SignOut,
} from './own-account-types.js'
export type { PolicyChangeOptions, PolicyClient } from './policies.js'
export type {
  ListedPolicy,
  PolicyConditionResult,
  PolicyContext,
  PolicyDecision,
  PolicyDocument,
  PolicyEffect,
  PolicyExplanation,
  PolicyOutcome,
  PolicyPage,
  PolicyStatus,
  PolicyTruth,
  PolicyVersion,
} from './policy-types.js'
export type { RouteListing, RouteReference, RouteRequirement } from './route-types.js'
export type {
  ApprovalDiff,
  ApprovalItem,
  ApprovalKind,
  AuthPartListing,
  AuthPartReference,
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
  GatewayAccess,
  GatewayAccessListing,
  GatewayAccessReference,
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
  SchemaDrift,
  StageListing,
  StageReference,
  StateResult,
} from './types.js'
