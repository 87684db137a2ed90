import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { proxyLimits, stageLimits } from '../base/limits/gateway.js'

const mebibyte = 1024 * 1024

/** Items of one list of the gateway; a longer one belongs into a table and not into a start-up file. */
const itemsMax = 1000

/** Words of a setting, or of a member of one. */
type Words = { readonly description: string }

const texts = (description: string, preset: readonly string[] = []): ReturnType<typeof textList> =>
  textList({ description, default: [...preset] })

function textList(options: Words & { readonly default?: string[] }) {
  return Type.Array(Type.String({ minLength: 1 }), { ...options, maxItems: itemsMax })
}

const shellRoute = Type.Object(
  {
    host: Type.String({ minLength: 1, description: 'Host name of the requests, e.g. "app.example.com".' }),
    dir: Type.String({ minLength: 1, description: 'Directory of the shell of this host.' }),
  },
  { additionalProperties: false },
)

const windowWords = 'Time in which an empty bucket fills up again; a number alone is one of seconds.'
const keyWords =
  'Whose bucket a request takes from: that of its address, its user, the tenant of its user or else of its header X-Tenant-Id, another header, a cookie, or the text that a function of a plugin gives.'

const limitRule = Type.Object(
  {
    paths: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      maxItems: itemsMax,
      description: 'Paths that the rule holds for, written as in `excludePaths`.',
    }),
    methods: Type.Optional(textList({ description: 'Methods that the rule holds for; all when missing.' })),
    requests: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Capacity of the buckets of the rule.' }),
    ),
    window: Type.Optional(Type.String({ description: windowWords })),
    keyBy: Type.Optional(Type.String({ description: keyWords })),
    cost: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Tokens that one request takes; 1 when missing.',
      }),
    ),
  },
  { additionalProperties: false },
)

const rateLimitSettings = {
  enabled: Type.Boolean({
    default: false,
    description:
      'Limit the requests of each client. When this object is given, even without any key, and does not say it, it counts as true.',
  }),
  requests: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description: 'Tokens that a bucket holds: the largest burst of one client. More requests answer 429.',
  }),
  window: Type.String({ default: '1m', description: windowWords }),
  keyBy: Type.String({ default: 'ip', description: keyWords }),
  excludePaths: texts(
    'Paths that are not limited, each as a whole: "/health" is not "/healthz". In a glob `*` is a segment or a part of one, and `**` any number of them.',
  ),
  maxBuckets: Type.Integer({
    default: 100_000,
    minimum: 100,
    maximum: 10_000_000,
    description: 'Buckets kept at once; beyond them the one that was used longest ago is forgotten.',
  }),
  rules: Type.Array(limitRule, {
    default: [],
    maxItems: 100,
    description: 'Limits of their own for some paths; what a rule does not say is as for all others.',
  }),
}

const corsSettings = {
  enabled: Type.Boolean({
    default: false,
    description:
      'Let pages of other origins read answers. When this object is given, even without any key, and does not say it, it counts as true.',
  }),
  origin: Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: itemsMax })], {
    default: '*',
    description: 'Origins whose pages may read answers, as a list or as one text; "*" lets all of them.',
  }),
  methods: texts('Methods that a preflight allows.', ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']),
  allowedHeaders: texts('Request headers that a preflight allows beside the simple ones.'),
  exposedHeaders: texts('Response headers that pages may read beside the simple ones.'),
  credentials: Type.Boolean({
    default: false,
    description: 'Let requests of pages carry cookies. It needs origins that are named.',
  }),
  maxAge: Type.Integer({
    default: 86_400,
    minimum: 0,
    maximum: 31_536_000,
    description: 'Seconds that a browser may keep the answer to a preflight.',
  }),
  preflight: Type.Boolean({
    default: true,
    description: 'Answer preflights here; otherwise they go on to what is behind the gateway.',
  }),
}

const cacheSettings = {
  enabled: Type.Boolean({ default: false, description: 'Keep answers in memory and give them again.' }),
  ttl: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 31_536_000,
    description: 'Seconds that an answer is kept when it says nothing about it itself.',
  }),
  methods: Type.Array(Type.Union([Type.Literal('GET'), Type.Literal('HEAD')]), {
    default: ['GET'],
    maxItems: itemsMax,
    description: 'Methods whose answers are kept.',
  }),
  maxEntries: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Answers kept at once; beyond them the one that was used longest ago is dropped.',
  }),
  maxBytes: Type.Integer({
    default: 64 * mebibyte,
    minimum: 64 * 1024,
    maximum: 16 * 1024 * mebibyte,
    description: 'Bytes of all kept answers; beyond them the ones that were used longest ago are dropped.',
  }),
  excludePaths: texts('Paths whose answers are not kept, written as in `gateway.rateLimit.excludePaths`.'),
  varyBy: texts('Request headers whose values have answers of their own, whatever an answer says of it.'),
}

const proxyRule = Type.Object(
  {
    name: Type.Optional(Type.String({ description: 'Label for people.' })),
    pattern: Type.String({ minLength: 1, description: 'Regular expression that the path has to match.' }),
    target: Type.String({
      minLength: 1,
      description: 'URL that requests are sent to; its path stands in front of theirs.',
    }),
    rewrite: Type.Optional(
      Type.String({ description: 'Path at the target; $1, $2 and so on are groups of the pattern.' }),
    ),
    changeOrigin: Type.Optional(
      Type.Boolean({ description: 'Send Host and Origin of the target; false when missing.' }),
    ),
    secure: Type.Optional(
      Type.Boolean({ description: 'Check the certificate of the target; true when missing.' }),
    ),
    identity: Type.Optional(
      Type.Boolean({
        description:
          'Tell the target in X-Identity who sends a request (base64url of JSON); nothing for strangers. False when missing.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Headers set on requests to the target; their values count as secrets.',
      }),
    ),
    ws: Type.Optional(Type.Boolean({ description: 'Let WebSockets through; true when missing.' })),
    base: Type.Optional(Type.String({ description: 'Path that HTML gets as its <base href>.' })),
    relativePaths: Type.Optional(
      Type.Boolean({ description: 'Make absolute paths in HTML relative; false when missing.' }),
    ),
    publicRoutes: Type.Optional(
      Type.Union([Type.Array(Type.String()), Type.Record(Type.String(), Type.Array(Type.String()))], {
        description:
          'Globs of paths that are public where no rule of `auth.http.rules` says something else: a list, or lists by method or ALL.',
      }),
    ),
    enabled: Type.Optional(Type.Boolean({ description: 'False leaves the rule out; true when missing.' })),
  },
  { additionalProperties: false },
)

const proxySettings = {
  rules: Type.Array(proxyRule, {
    default: [],
    maxItems: proxyLimits.rulesMax,
    description: 'Paths that other servers answer; the first rule that matches counts.',
  }),
  allowTargets: texts(
    'Servers that rules may send to: names, addresses and CIDR ranges. Empty lets them send to all.',
  ),
  timeout: Type.String({
    default: '30s',
    description: 'Time in which a target has to begin its answer; a later one answers 504.',
  }),
}

const stageSettings = {
  timeout: Type.String({
    default: `${stageLimits.timeoutMsDefault}ms`,
    description:
      'Time of one call of a stage of a plugin that asks for no other with timeout_ms, which may be up to 5s.',
  }),
  failures: Type.Integer({
    default: stageLimits.failuresMax,
    minimum: 1,
    maximum: 1000,
    description:
      'Failures in a row after which a stage of a plugin is not run: what its fail says becomes of its requests.',
  }),
  reset: Type.String({
    default: `${stageLimits.breakerResetMs / 1000}s`,
    description: 'Time after which one request is put through such a stage again as a probe.',
  }),
}

/** Makes an object of the file that holds settings; its members are settings, or such objects again. */
function group<Properties extends TProperties>(description: string, properties: Properties) {
  return Type.Object(properties, { description })
}

/** What stands in the object `gateway` of the file. */
export const gatewaySettings = {
  hosts: texts(
    'Names and addresses that the host is asked for under, e.g. "app.example.com", "*.example.com", "127.0.0.1"; requests for others answer 421. Empty serves all of them.',
  ),
  shellDir: Type.String({
    default: '',
    description: 'Directory of the app that is shown around all others. Empty shows none.',
  }),
  shellExcludes: Type.String({
    default: 'cpanel',
    description: 'First names of paths that are shown without the shell, separated by commas.',
  }),
  shellRoutes: Type.Array(shellRoute, {
    default: [],
    maxItems: itemsMax,
    description: 'Shells of their own for some host names.',
  }),
  rateLimit: group('Requests of each client.', rateLimitSettings),
  cors: group('What pages of other origins may do.', corsSettings),
  cache: group('Answers that are kept.', cacheSettings),
  compression: group('Smaller answers.', {
    enabled: Type.Boolean({ default: false, description: 'Compress answers that clients take so.' }),
    threshold: Type.Integer({
      default: 1024,
      minimum: 0,
      maximum: 64 * mebibyte,
      description: 'Bytes below which an answer is not compressed.',
    }),
  }),
  log: group('Requests of the last time.', {
    size: Type.Integer({
      default: 100,
      minimum: 1,
      maximum: 100_000,
      description: 'Requests that are kept in memory to be looked at.',
    }),
  }),
  history: group('Figures of the last hour.', {
    enabled: Type.Boolean({ default: true, description: 'Keep the figures of each second in the database.' }),
  }),
  stage: group('Stages of plugins.', stageSettings),
  proxy: group('Paths that other servers answer.', proxySettings),
  priorities: Type.Record(Type.String(), Type.Integer({ minimum: -1000, maximum: 1000 }), {
    default: {},
    description:
      'Other places of stages in the chain, by the name of the stage as `gateway/api/pipeline` has it; lower ones come earlier.',
  }),
} satisfies Record<string, TSchema>

/** Environment variables that set a key beside the one that is made of its path. */
export const gatewayAliases: Readonly<Record<string, string>> = {
  'gateway.shellDir': 'GATEWAY_SHELL_DIR',
  'gateway.shellExcludes': 'GATEWAY_SHELL_EXCLUDES',
  'gateway.rateLimit.requests': 'GATEWAY_RATE_LIMIT_REQUESTS',
  'gateway.rateLimit.window': 'GATEWAY_RATE_LIMIT_WINDOW',
  'gateway.cors.origin': 'GATEWAY_CORS_ORIGIN',
  'gateway.cors.credentials': 'GATEWAY_CORS_CREDENTIALS',
}
