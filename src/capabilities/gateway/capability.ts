import { stageLimits } from '../../base/limits/gateway.js'
import { type ClassDoc, defineCapability, type FunctionDefinition, type ParamDoc } from '../define.js'
import { cacheClasses, cacheFunctions } from './cache-functions.js'
import { grantClasses, grantFunctions } from './grant-functions.js'
import { nestFunctions } from './nested-functions.js'
import { rateLimitClasses, rateLimitFunction } from './rate-limit-function.js'
import { registerKey, registerStage } from './registration.js'

const registering = { phases: ['manifest', 'module'], cost: 0, mode: 'sync', returns: [] } as const

const options: ParamDoc = {
  name: 'options',
  type: 'any',
  optional: true,
  luaType: 'gateway.StageOptions',
  doc: 'Which requests it is for, and how it is run.',
}

const bounds = [
  `Limits: ${stageLimits.registrationsMax} stages and functions for keys a plugin; the time of a call is that of`,
  '`timeout_ms`, else that of the configuration (`gateway.stage.timeout`);',
  `${stageLimits.operationsMax} database and key-value operations a call. There are no requests to other servers and no`,
  'core tables in here. A stage that fails `gateway.stage.failures` times in a row is not run for `gateway.stage.reset`;',
  'then one request tries it. Works only at module scope, when init.lua is loaded. Raises for options that are none.',
].join('\n')

const onRequest: FunctionDefinition = {
  ...registering,
  name: 'on_request',
  doc: [
    'Registers a function that runs for each request in front of everything that the host serves, once an admin has',
    'approved its methods and paths.',
    '',
    'Returning nothing lets the request go on. `{ status, json or body, headers }` answers it, by the rules for the',
    'responses of routes. `{ request = { headers, path } }` changes it: headers by name, `false` to remove one, and a path,',
    'URL-encoded, with its query. Headers that say who sends, that belong to the connection or to proxies cannot be',
    'changed; a path cannot lead to the administration of the host. With another path,',
    'stages in front whose path it is decide about it as well, and a rule of the proxy is looked up anew; then it goes on to',
    'the stages behind. No stage is called twice for one request.',
    '',
    'When it fails, cannot be run in time, or its breaker is open, the request is answered with 503, unless `fail` is',
    '`"open"`: then it goes on. Anything else that is returned is a failure too.',
    '',
    bounds,
  ].join('\n'),
  params: [
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(req: gateway.Request): gateway.Verdict?',
      doc: 'Called once for each request that matches.',
    },
    options,
  ],
  example: [
    'gateway.on_request(function(req)',
    '  if not req.headers["x-api-version"] then',
    '    return { status = 400, json = { error = "send X-Api-Version" } }',
    '  end',
    'end, { paths = { "/api/**" }, methods = { "POST", "PUT" } })',
  ].join('\n'),
  handler: (call, handler, given) => registerStage(call, 'on_request', handler, given),
}

const onResponse: FunctionDefinition = {
  ...registering,
  name: 'on_response',
  doc: [
    'Registers a function that runs for each answer before it is sent, whoever gave it, once an admin has approved its',
    'methods and paths. Lower priorities run later here.',
    '',
    'Returning nothing sends the answer as it is. A table may have a `status`, `headers` by name with `false` to remove one,',
    'and `json` or `body`; headers that belong to the host are left out with a warning. Streams of events are not seen.',
    '',
    'When it fails, cannot be run in time, or its breaker is open, the answer is sent as it is, unless `fail` is',
    '`"closed"`: then it is replaced by a 503.',
    '',
    bounds,
  ].join('\n'),
  params: [
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(req: gateway.Request, res: gateway.Answer): gateway.AnswerChange?',
      doc: 'Called once for each answer that matches.',
    },
    options,
  ],
  example: [
    'gateway.on_response(function(req, res)',
    '  if res.status == 404 then return { headers = { ["x-hint"] = "see /docs" } } end',
    'end, { paths = { "/api/**" } })',
  ].join('\n'),
  handler: (call, handler, given) => registerStage(call, 'on_response', handler, given),
}

const keyBy: FunctionDefinition = {
  ...registering,
  name: 'key_by',
  doc: [
    'Registers a function that says whom the rate limit counts a request for, once an admin has approved it and the',
    'configuration names it as `<plugin>/<name>`. Requests with the same key share a limit. Where it returns nothing or',
    'fails, the host counts as it does without it.',
    '',
    `Limits: ${stageLimits.keyBytesMax} bytes a key; for the rest see \`gateway.on_request\`.`,
  ].join('\n'),
  params: [
    { name: 'name', type: 'string', doc: 'Unique in the plugin: lower-case letters, digits, `_` and `-`.' },
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(req: gateway.Request): string?',
      doc: 'Called for each request that is limited.',
    },
  ],
  example: 'gateway.key_by("tenant", function(req) return req.headers["x-tenant-id"] end)',
  handler: registerKey,
}

const services = [...cacheFunctions, ...grantFunctions]
const nested = nestFunctions(
  'gateway',
  services.filter(({ name }) => name.includes('.')),
)

/** The Lua module `gateway`: what a plugin does in front of and behind everything that the host serves. */
export const gatewayCapability = defineCapability({
  name: 'gateway',
  doc: [
    'Registers stages of the gateway: functions that see requests before they are routed and answers before they are sent,',
    'and functions for the keys of rate limits. All run for requests of other plugins and of the host too, but never for',
    'the administration of the host.',
    '',
    'Beside that: limits and a cache of the plugin, which no other plugin shares, and with the approval of an admin the',
    'request log, the figures of the gateway, and which pages get the shell.',
  ].join('\n'),
  functions: [
    onRequest,
    onResponse,
    keyBy,
    rateLimitFunction,
    ...services.filter(({ name }) => !name.includes('.')),
    ...nested.functions,
  ],
  luaFunctions: nested.luaFunctions,
  lua: nested.lua,
  classes: [...gatewayClasses(), ...rateLimitClasses, ...cacheClasses, ...grantClasses],
})

function gatewayClasses(): ClassDoc[] {
  const headerChanges = 'table<string, string|false>?'
  return [
    {
      name: 'gateway.StageOptions',
      doc: 'Which requests a stage is for, and how it is run. Other members are refused.',
      fields: [
        {
          name: 'paths',
          luaType: 'string[]?',
          doc: `At most ${stageLimits.pathsMax} patterns: \`*\` is a segment or a part of one, \`**\` any number of them. Left out: every path.`,
        },
        {
          name: 'methods',
          luaType: 'string[]?',
          doc: 'In upper case; `GET` stands for `HEAD` as well. Left out: every method.',
        },
        {
          name: 'priority',
          luaType: 'integer?',
          doc: `From ${stageLimits.priorityMin} to ${stageLimits.priorityMax}; lower ones see requests earlier and answers later. Left out: 50, behind the stages of the host.`,
        },
        {
          name: 'fail',
          luaType: '"closed"|"open"|nil',
          doc: 'What becomes of requests when the stage cannot be run. Left out: closed for requests, open for answers.',
        },
        {
          name: 'timeout_ms',
          luaType: 'integer?',
          doc: `Time of one call, up to ${stageLimits.timeoutMsMax}. Left out: \`gateway.stage.timeout\` of the configuration.`,
        },
        {
          name: 'name',
          luaType: 'string?',
          doc: 'How operators see it, unique in the plugin. Left out: its kind and a number.',
        },
      ],
    },
    {
      name: 'gateway.Request',
      doc: 'A request on its way through the gateway; without its body.',
      fields: [
        { name: 'method', luaType: 'string', doc: 'Method in upper case.' },
        { name: 'path', luaType: 'string', doc: 'Path as the router reads it, without the query.' },
        {
          name: 'query',
          luaType: 'table<string, string>',
          doc: 'Query parameters, the first value of each.',
        },
        {
          name: 'loose_path',
          luaType: 'string',
          doc: 'The path as servers may read it that decode `%2F`, leave out what follows a `;` in a segment and join slashes; mostly the same as `path`. A guard that compares paths by itself compares both.',
        },
        { name: 'raw_query', luaType: 'string', doc: 'The query as it was sent, without the question mark.' },
        {
          name: 'headers',
          luaType: 'table<string, string>',
          doc: "Headers by lower-case name, the first value of each; the caller's credentials for the host are left out.",
        },
        {
          name: 'header_count',
          luaType: 'integer',
          doc: 'Header lines as they were sent, every repetition included, without those credentials.',
        },
        {
          name: 'header_bytes',
          luaType: 'integer',
          doc: 'Bytes of the names and values of these lines together.',
        },
        { name: 'client_ip', luaType: 'string', doc: 'Address of the caller, without the port.' },
        { name: 'user', luaType: 'http.User?', doc: 'The signed-in caller; nil for anyone else.' },
      ],
    },
    {
      name: 'gateway.Verdict',
      doc: 'What a stage for requests may return: an answer, or a changed request.',
      fields: [
        { name: 'status', luaType: 'integer?', doc: 'Status of an answer, from 200 to 599. Left out: 200.' },
        { name: 'json', luaType: 'any', doc: 'Body of an answer as JSON.' },
        { name: 'body', luaType: 'string?', doc: 'Body of an answer as bytes.' },
        { name: 'headers', luaType: 'table<string, string>?', doc: 'Further headers of an answer.' },
        { name: 'request', luaType: 'gateway.RequestChange?', doc: 'What to change; not beside an answer.' },
      ],
    },
    {
      name: 'gateway.RequestChange',
      doc: 'How a request goes on.',
      fields: [
        { name: 'headers', luaType: headerChanges, doc: 'Headers to set; `false` removes one.' },
        { name: 'path', luaType: 'string?', doc: 'Another path, with its query, e.g. `/v2/items?page=1`.' },
      ],
    },
    {
      name: 'gateway.Answer',
      doc: 'An answer on its way out.',
      fields: [
        { name: 'status', luaType: 'integer', doc: 'Its status.' },
        {
          name: 'headers',
          luaType: 'table<string, string>',
          doc: 'Its headers by lower-case name, without cookies.',
        },
        {
          name: 'body',
          luaType: 'string?',
          doc: `Its text, up to ${stageLimits.bodyBytesMax / 1024} KiB; nil for streams, for larger ones and for what is no text.`,
        },
      ],
    },
    {
      name: 'gateway.AnswerChange',
      doc: 'What to change of an answer; what is left out stays.',
      fields: [
        { name: 'status', luaType: 'integer?', doc: 'Status from 200 to 599.' },
        { name: 'headers', luaType: headerChanges, doc: 'Headers to set; `false` removes one.' },
        { name: 'json', luaType: 'any', doc: 'Another body as JSON.' },
        { name: 'body', luaType: 'string?', doc: 'Another body as bytes.' },
      ],
    },
  ]
}
