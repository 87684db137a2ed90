import type { MetricDefinition } from './metric-family.js'

const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const outboundBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const buildBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const lagBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600]
const waitBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25]

const httpLabels = ['plugin', 'method', 'status'] as const
const hookLabels = ['plugin', 'event', 'table', 'status'] as const
const messageLabels = ['plugin', 'queue', 'status'] as const
const outboundLabels = ['plugin', 'method', 'domain', 'status'] as const

/** What is counted when it happens. */
export const countedMetrics = {
  httpRequests: {
    name: 'plugin_http_requests_total',
    seed: 'plugin.http.requests',
    type: 'counter',
    labels: httpLabels,
    help: 'Requests to plugin routes by the status that was answered; "aborted" when the client went away first.',
  },
  httpDuration: {
    name: 'plugin_http_duration_seconds',
    seed: 'plugin.http.duration_ms',
    type: 'histogram',
    labels: httpLabels,
    buckets: callBuckets,
    help: 'Time from the hand-over of a request to its plugin to the answer; without requests that were refused before.',
  },
  httpRefused: {
    name: 'plugin_http_refused_total',
    type: 'counter',
    labels: ['plugin', 'code'],
    help: 'Requests that the host answered without calling the plugin, by error code.',
  },
  hookBefore: {
    name: 'plugin_hook_before_total',
    seed: 'plugin.hook.before',
    type: 'counter',
    labels: hookLabels,
    help: 'Runs of before-hooks by how they ended.',
  },
  hookAfter: {
    name: 'plugin_hook_after_total',
    seed: 'plugin.hook.after',
    type: 'counter',
    labels: hookLabels,
    help: 'Runs of after-hooks by how they ended.',
  },
  hookDuration: {
    name: 'plugin_hook_duration_seconds',
    seed: 'plugin.hook.duration_ms',
    type: 'histogram',
    labels: hookLabels,
    buckets: callBuckets,
    help: 'Time that one run of a hook took.',
  },
  stageRuns: {
    name: 'plugin_stage_runs_total',
    type: 'counter',
    labels: ['plugin', 'stage', 'status'],
    help: 'Runs of stages of the gateway and of functions for keys: ok, failed, timeout, or paused where the breaker of the stage was open.',
  },
  messages: {
    name: 'plugin_messages_total',
    type: 'counter',
    labels: messageLabels,
    help: 'Messages and changes that functions of plugins were called with: ok, failed, timeout, or dead when it was the last try.',
  },
  messageDuration: {
    name: 'plugin_message_duration_seconds',
    type: 'histogram',
    labels: messageLabels,
    buckets: callBuckets,
    help: 'Time that one call of such a function took.',
  },
  changesDropped: {
    name: 'plugin_changes_dropped_total',
    type: 'counter',
    labels: ['plugin', 'reason'],
    help: 'Changes of the key-value store that were not queued for a plugin: full when too many wait for it, depth when functions led to one another too often.',
  },
  ownDropped: {
    name: 'plugin_metrics_dropped_total',
    type: 'counter',
    labels: ['plugin', 'reason'],
    help: 'What plugins measured in metrics of their own and does not stand in its series: series or label_bytes when it went over a limit, not_finite, or negative.',
  },
  messageLag: {
    name: 'plugin_message_lag_seconds',
    type: 'histogram',
    labels: ['plugin', 'queue'],
    buckets: lagBuckets,
    help: 'Time from when a message was due to its first call.',
  },
  errors: {
    name: 'plugin_errors_total',
    seed: 'plugin.errors',
    type: 'counter',
    labels: ['plugin', 'type'],
    help: 'Calls and loads of a plugin that failed, by error code.',
  },
  breakerTrips: {
    name: 'plugin_circuit_breaker_trips_total',
    seed: 'plugin.circuit_breaker.trip',
    type: 'counter',
    labels: ['plugin'],
    help: 'Times that the circuit breaker of a plugin opened; a probe that fails and keeps it open is not counted.',
  },
  reloads: {
    name: 'plugin_reloads_total',
    seed: 'plugin.reload',
    type: 'counter',
    labels: ['plugin', 'status'],
    help: 'Reloads of a plugin, those by enabling it included: success or error.',
  },
  outboundRequests: {
    name: 'plugin_outbound_requests_total',
    seed: 'plugin.outbound.requests',
    type: 'counter',
    labels: outboundLabels,
    help: 'Requests that plugins sent; status 0 when no answer came.',
  },
  outboundDuration: {
    name: 'plugin_outbound_duration_seconds',
    seed: 'plugin.outbound.duration_ms',
    type: 'histogram',
    labels: outboundLabels,
    buckets: outboundBuckets,
    help: 'Time from the sending of such a request to its answer or failure.',
  },
  budgetKills: {
    name: 'plugin_budget_kills_total',
    type: 'counter',
    labels: ['plugin', 'code'],
    help: 'Calls that were stopped because they used up their time, instructions or memory.',
  },
  hardStops: {
    name: 'plugin_hard_stops_total',
    type: 'counter',
    labels: ['plugin'],
    help: 'Times that a thread had to be ended because code of the plugin could not be stopped otherwise.',
  },
  vmBuild: {
    name: 'plugin_vm_build_seconds',
    type: 'histogram',
    labels: ['plugin'],
    buckets: buildBuckets,
    help: 'Time that it took to make a VM and to run init.lua in it.',
  },
  vmRetirements: {
    name: 'plugin_vm_retirements_total',
    type: 'counter',
    labels: ['plugin', 'reason'],
    help: 'VMs that were thrown away, by reason.',
  },
  callWait: {
    name: 'plugin_call_wait_seconds',
    type: 'histogram',
    labels: ['plugin', 'kind'],
    buckets: waitBuckets,
    help: 'Time from the dispatch of a call to its first instruction: hand-over to a thread, queue, wait for a VM.',
  },
  actionsLost: {
    name: 'host_actions_lost_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Actions in the administration that no hook of a plugin will get, by reason: full, invalid, unwritten, closed.',
  },
  clientsRefused: {
    name: 'server_clients_refused_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Clients that were refused or cut off before or beside their requests, by reason: too many connections, too slow, too large, unreadable, not reading.',
  },
  executorStarts: {
    name: 'plugin_executor_starts_total',
    type: 'counter',
    labels: [],
    help: 'Executor threads that have become warm.',
  },
  executorEnds: {
    name: 'plugin_executor_ends_total',
    type: 'counter',
    labels: ['cause'],
    help: 'Executor threads that ended: retired after a long call, unloaded or released from quarantine, hard_stop, crashed.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** What is looked at when somebody reads the metrics. */
export const observedMetrics = {
  vmsAvailable: {
    name: 'plugin_vms_available',
    seed: 'plugin.vm.available',
    type: 'gauge',
    labels: ['plugin'],
    help: 'VMs of the serving generation that no long or suspended call holds.',
  },
  vmsTotal: {
    name: 'plugin_vms',
    type: 'gauge',
    labels: ['plugin'],
    help: 'VMs that the serving generation may use.',
  },
  callsInFlight: {
    name: 'plugin_calls_in_flight',
    type: 'gauge',
    labels: ['plugin'],
    help: 'Calls of the serving generation that have not been answered.',
  },
  breakerState: {
    name: 'plugin_circuit_breaker_state',
    type: 'gauge',
    labels: ['plugin', 'state'],
    help: '1 for the state that the breaker is in: closed, open or half-open.',
  },
  poolState: {
    name: 'plugin_pool_state',
    type: 'gauge',
    labels: ['plugin', 'state'],
    help: '1 for the state that the pool of the last generation is in: open, draining or closed.',
  },
  pluginState: {
    name: 'plugin_state',
    type: 'gauge',
    labels: ['plugin', 'state'],
    help: '1 for the state that the plugin is in, e.g. running or failed.',
  },
  quarantined: {
    name: 'plugin_quarantined',
    type: 'gauge',
    labels: ['plugin'],
    help: '1 while the plugin runs in a thread of its own because it could not be stopped once.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** What is told of the key-value store; names, labels and milliseconds are those of its specification. */
export const kvMetrics = {
  operations: {
    name: 'keyval_operations_total',
    type: 'counter',
    labels: ['operation'],
    help: 'Calls of the key-value store by plugins, over HTTP and by the embedding application, failed ones included, e.g. get or atomic_commit.',
  },
  errors: {
    name: 'keyval_errors_total',
    type: 'counter',
    labels: ['operation'],
    help: 'Those calls of the key-value store that failed.',
  },
  duration: {
    name: 'keyval_operation_duration_ms',
    type: 'histogram',
    labels: ['operation'],
    buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
    help: 'Milliseconds that such a call took.',
  },
  pending: {
    name: 'keyval_queue_pending',
    type: 'gauge',
    labels: [],
    help: 'Messages that wait, delayed ones included, in the queues of all namespaces.',
  },
  processing: {
    name: 'keyval_queue_processing',
    type: 'gauge',
    labels: [],
    help: 'Messages that are leased to a consumer.',
  },
  dlq: {
    name: 'keyval_queue_dlq',
    type: 'gauge',
    labels: [],
    help: 'Dead letters: messages of which all tries have failed.',
  },
  total: {
    name: 'keyval_queue_total',
    type: 'gauge',
    labels: [],
    help: 'Messages that wait, that are leased, and dead letters.',
  },
  entries: {
    name: 'keyval_entries_total',
    type: 'gauge',
    labels: [],
    help: 'Entries of all namespaces, with expired ones that have not been removed yet.',
  },
  bytes: {
    name: 'keyval_storage_bytes',
    type: 'gauge',
    labels: [],
    help: 'Bytes of those entries and of the messages, as the quotas of namespaces count them.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** What is read from the parts of the gateway. */
export const gatewayMetrics = {
  limited: {
    name: 'gateway_rate_limit_requests_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Requests that the rate limit counted: allowed, or refused with 429. Missing without a rate limit.',
  },
  clients: {
    name: 'gateway_rate_limit_clients',
    type: 'gauge',
    labels: [],
    help: 'Clients that the rate limit remembers.',
  },
  cacheRequests: {
    name: 'gateway_cache_requests_total',
    type: 'counter',
    labels: ['result'],
    help: 'Requests that the response cache looked up: hit or miss. Missing while it is off.',
  },
  cacheEntries: {
    name: 'gateway_cache_entries',
    type: 'gauge',
    labels: [],
    help: 'Answers in the response cache.',
  },
  cacheBytes: {
    name: 'gateway_cache_bytes',
    type: 'gauge',
    labels: [],
    help: 'Bytes of these answers.',
  },
  tunnels: {
    name: 'gateway_proxy_tunnels',
    type: 'gauge',
    labels: [],
    help: 'WebSockets through the proxy that are open or being opened.',
  },
  stages: {
    name: 'gateway_stages_unavailable',
    type: 'gauge',
    labels: ['reason'],
    help: 'Approved stages that do not run: paused after failures, or held because their plugins cannot run them, so that what they guard answers 503.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** All metrics of the host itself, in the order in which they are written and documented. */
export function listMetricDefinitions(): readonly MetricDefinition[] {
  return [
    ...Object.values(countedMetrics),
    ...Object.values(observedMetrics),
    ...Object.values(kvMetrics),
    ...Object.values(gatewayMetrics),
  ]
}
