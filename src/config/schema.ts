import { type Static, type TProperties, Type } from '@sinclair/typebox'
import { vmLimits } from '../base/limits/sandbox.js'
import { authSettings } from './auth-schema.js'
import { gatewaySettings } from './gateway-schema.js'
import { serverSettings } from './server-schema.js'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** A body shares its crossing into the VM with headers and parameters, which need room as well. */
const bodyBytesMax = vmLimits.marshalBytesMax - mebibyte

/** A response crosses into the VM twice, as text and decoded, beside its headers. */
const responseBytesMax = vmLimits.marshalBytesMax / 2 - mebibyte

const pluginSettings = {
  plugin_enabled: Type.Boolean({
    default: false,
    description: 'Master switch. While it is false no plugin is read and every plugin route answers 404.',
  }),
  plugin_directory: Type.String({
    default: './plugins/',
    minLength: 1,
    description:
      'Directory whose sub-directories are the plugins; created when it is absent. A relative path starts at the working directory.',
  }),
  plugin_hot_reload: Type.Boolean({
    default: false,
    description:
      'Reload a plugin when its files change. While it is false a reload is asked for with the CLI or the admin API.',
  }),
  plugin_approval_binding: Type.Union([Type.Literal('version'), Type.Literal('content')], {
    default: 'version',
    description:
      'What an approval belongs to: "version" asks again when the manifest\'s version changes, "content" when any file of the plugin does.',
  }),
  edition: Type.String({
    default: 'default',
    minLength: 1,
    maxLength: 64,
    description:
      'Name of the edition that runs, which /health shows. One that stands in editions loads the plugins listed there; "default", when it does not, loads all.',
  }),
  editions: Type.Record(Type.String(), Type.Array(Type.String({ minLength: 1, maxLength: 32 })), {
    default: {},
    maxProperties: 100,
    description:
      'Names of the plugins of each edition, e.g. {"premium": ["worker-token", "audit-log"]}; "-" and "_" are the same in them.',
  }),
  plugin_migrations_strict: Type.Boolean({
    default: false,
    description:
      'Refuse to load a plugin with a migration that is older than the newest applied one. While it is false such migrations are applied with a warning.',
  }),
  plugin_max_vms: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 64,
    description: 'Lua VMs per plugin, those reserved for hooks included: how many calls of it run at once.',
  }),
  plugin_executors: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16,
    description:
      'Threads that run plugin code. 0 chooses one less than there are processor cores, and at least 2.',
  }),
}

const budgetSettings = {
  plugin_timeout: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 300,
    description:
      'Seconds that one request handler, on_init or on_shutdown may take; the call is killed after them and the client gets 504.',
  }),
  plugin_max_ops: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Database operations of one call; one more raises an error in the plugin.',
  }),
  plugin_max_instructions: Type.Integer({
    default: 100_000_000,
    minimum: 100_000,
    maximum: 1_000_000_000_000,
    description: 'Lua instructions of one call; the call is killed at the first look after them.',
  }),
  plugin_max_memory: Type.Integer({
    default: 32 * mebibyte,
    minimum: vmLimits.memoryBytesMin,
    maximum: 1024 * mebibyte,
    description:
      'Bytes that one Lua VM may allocate. At the limit Lua raises "not enough memory" and the VM is rebuilt after the call.',
  }),
  plugin_storage_quota: Type.Integer({
    default: 256 * mebibyte,
    minimum: 64 * kibibyte,
    maximum: 1024 * 1024 * mebibyte,
    description:
      'Bytes that the tables of one plugin may hold; writes beyond them fail, reads and deletes do not.',
  }),
  plugin_max_failures: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1000,
    description:
      "Consecutive failed calls after which a plugin's circuit breaker opens and its routes answer 503.",
  }),
  plugin_reset_interval: Type.String({
    default: '60s',
    description:
      'Time that an open circuit breaker waits before it lets one probe call through: a duration such as "500ms", "60s" or "1m30s".',
  }),
}

const routeSettings = {
  plugin_rate_limit: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Requests a second that one client address may send to all plugin routes together, and the largest burst; more answer 429.',
  }),
  plugin_max_routes: Type.Integer({
    default: 50,
    minimum: 0,
    maximum: 10_000,
    description: 'Routes that one plugin may register; with more it does not load. 0 allows none.',
  }),
  plugin_max_request_body: Type.Integer({
    default: mebibyte,
    minimum: 0,
    maximum: bodyBytesMax,
    description: 'Bytes of a request body for a plugin; larger ones answer 413. 0 allows none.',
  }),
  plugin_max_response_body: Type.Integer({
    default: 5 * mebibyte,
    minimum: 0,
    maximum: bodyBytesMax,
    description: 'Bytes of a response body from a plugin; larger ones answer 500. 0 allows none.',
  }),
  plugin_trusted_proxies: Type.Array(Type.String(), {
    default: [],
    maxItems: 1000,
    description:
      'Addresses and CIDR ranges of the proxies whose X-Forwarded-For is believed, e.g. ["10.0.0.0/8", "::1"]. Empty believes none: the client is who holds the connection.',
  }),
}

const hookSettings = {
  plugin_hook_reserve_vms: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 63,
    description:
      'VMs out of plugin_max_vms that serve hooks only. At least one VM stays general: a larger value counts as plugin_max_vms - 1. 0 reserves none.',
  }),
  plugin_hook_max_consecutive_aborts: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1000,
    description: 'Consecutive failures after which one hook is switched off until its plugin is reloaded.',
  }),
  plugin_hook_max_ops: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Database operations of one hook call; one more raises an error in the plugin.',
  }),
  plugin_hook_max_concurrent_after: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1000,
    description: 'After-hooks of all plugins that run at once; the others wait their turn.',
  }),
  plugin_hook_timeout_ms: Type.Integer({
    default: 2000,
    minimum: 10,
    maximum: 300_000,
    description: 'Milliseconds that one hook call may take before it is killed.',
  }),
  plugin_hook_event_timeout_ms: Type.Integer({
    default: 5000,
    minimum: 10,
    maximum: 300_000,
    description: 'Milliseconds that all before-hooks of one event may take together.',
  }),
}

const requestSettings = {
  plugin_request_timeout: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 300,
    description:
      'Seconds that one request to another server may take as a whole. The time left to the call that sends it counts as well.',
  }),
  plugin_request_max_body: Type.Integer({
    default: mebibyte,
    minimum: 0,
    maximum: bodyBytesMax,
    description: 'Bytes of the body that a plugin may send. 0 allows none.',
  }),
  plugin_request_max_response: Type.Integer({
    default: mebibyte,
    minimum: 0,
    maximum: responseBytesMax,
    description: 'Bytes of the body of a response, decompressed. 0 allows none.',
  }),
  plugin_request_rate_limit: Type.Integer({
    default: 60,
    minimum: 0,
    maximum: 1_000_000,
    description:
      'Requests a minute of one plugin to one domain; what it has not used is saved up for 5 requests at the most. 0 sets no limit.',
  }),
  plugin_request_global_rate: Type.Integer({
    default: 600,
    minimum: 0,
    maximum: 10_000_000,
    description: 'Requests a minute of all plugins together. 0 sets no limit.',
  }),
  plugin_request_cb_failures: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1000,
    description:
      'Consecutive failed requests of one plugin to one domain after which no more are sent: no connection, an unreadable or too large response, a status of 500 or more.',
  }),
  plugin_request_cb_reset: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds after which one request to such a domain is let through again as a probe.',
  }),
  plugin_request_allow_local: Type.Boolean({
    default: false,
    description:
      'Lets approved requests go to this machine (127.0.0.0/8, ::1), on any port, and to 127.0.0.1 without TLS. For development only.',
  }),
}

const storageSettings = {
  data_directory: Type.String({
    default: './data',
    minLength: 1,
    description:
      'Directory of everything the host writes: the database, the admin token. Created when it is absent. A relative path starts at the working directory.',
  }),
  database_url: Type.String({
    default: 'sqlite:./data/modula.db',
    pattern: '^sqlite:(?!:memory:).',
    description:
      'Database of the host and of all plugins, as "sqlite:" and a file path. When only data_directory is given, the file modula.db in that directory.',
  }),
}

const keyvalSettings = {
  namespace_bytes: Type.Integer({
    default: 1024 * mebibyte,
    minimum: 64 * kibibyte,
    maximum: 1024 * 1024 * mebibyte,
    description:
      'Bytes that one namespace of the key-value store may hold, messages included; writes beyond them fail, reads and deletes do not.',
  }),
  max_concurrent_messages: Type.Integer({
    default: 20,
    minimum: 1,
    maximum: 1000,
    description:
      'Messages and changes that functions of all plugins (`kv.listen`, `kv.on_change`) work on at once; one plugin gets half of its VMs for them.',
  }),
  sweep_interval: Type.String({
    default: '1s',
    minLength: 1,
    description:
      'Time between two rounds that remove expired entries and finish search indexes. Expired entries are invisible at once; watchers are told in the round.',
  }),
  rate_limit: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Requests a second that one client address may send to the HTTP interface of the key-value store, and the largest burst; more answer 429. A stream counts once.',
  }),
}

const logSettings = {
  level: Type.Union(
    (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const).map((level) =>
      Type.Literal(level),
    ),
    { default: 'info', description: 'Least important lines that are written. "silent" writes none.' },
  ),
  format: Type.Union([Type.Literal('json'), Type.Literal('pretty')], {
    default: 'json',
    description:
      '"json" writes one JSON object a line for machines, "pretty" one short text line for people.',
  }),
}

const metricsSettings = {
  enabled: Type.Boolean({
    default: true,
    description:
      'Keep metrics and serve them at /metrics. While it is false nothing is measured and /metrics answers 404.',
  }),
  access: Type.Union([Type.Literal('admin'), Type.Literal('local'), Type.Literal('public')], {
    default: 'admin',
    description:
      'Who may read /metrics: "admin" with the admin token; "local" also programs of this machine without it, unless they came through a proxy; "public" everybody who reaches the port.',
  }),
}

/** A chapter of the configuration: how the reference groups keys, and for nested keys the object they stand in. */
export interface ConfigSection {
  readonly title: string
  readonly about: string
  /** Name of the object in the file that holds the settings; absent when they stand at the top level. */
  readonly key?: string
  /** Settings by name; a member that is an object with properties of its own groups further ones. */
  readonly settings: TProperties
}

/** Every setting of the host, in the order of the reference. Readers: loader, JSON Schema, reference page. */
export const configSections: readonly ConfigSection[] = [
  { title: 'Plugins', about: 'Which plugins run, and in what.', settings: pluginSettings },
  { title: 'Budgets', about: 'What one plugin may use before it is stopped.', settings: budgetSettings },
  { title: 'Plugin routes', about: 'Limits of the HTTP side of plugins.', settings: routeSettings },
  { title: 'Hooks', about: 'Limits of content hooks.', settings: hookSettings },
  {
    title: 'Requests of plugins',
    about: 'Requests that plugins send to other servers, to domains that an admin has approved.',
    settings: requestSettings,
  },
  { title: 'Storage', about: 'Where data lives.', settings: storageSettings },
  {
    title: 'Key-value store',
    about: 'What plugins, HTTP clients and the embedding application keep by keys.',
    key: 'keyval',
    settings: keyvalSettings,
  },
  {
    title: 'Gateway',
    about: 'What happens to a request before it is routed, and to its answer.',
    key: 'gateway',
    settings: gatewaySettings,
  },
  {
    title: 'Auth',
    about: 'Who may do what.',
    key: 'auth',
    settings: authSettings,
  },
  {
    title: 'Server',
    about: 'Where the host listens, and what it takes from clients.',
    key: 'server',
    settings: serverSettings,
  },
  { title: 'Metrics', about: 'What is measured, for Prometheus.', key: 'metrics', settings: metricsSettings },
  { title: 'Log', about: 'What is logged to standard error.', key: 'log', settings: logSettings },
]

const configSchema = Type.Object({
  ...pluginSettings,
  ...budgetSettings,
  ...routeSettings,
  ...hookSettings,
  ...requestSettings,
  ...storageSettings,
  keyval: Type.Object(keyvalSettings),
  gateway: Type.Object(gatewaySettings),
  auth: Type.Object(authSettings),
  server: Type.Object(serverSettings),
  metrics: Type.Object(metricsSettings),
  log: Type.Object(logSettings),
})

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** The whole configuration with every default filled in; keys are those of `config.json`. */
export type Config = DeepReadonly<Static<typeof configSchema>>
