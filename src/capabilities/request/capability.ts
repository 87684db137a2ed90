import { outboundLimits } from '../../base/limits/outbound.js'
import { outboundMethods } from '../../outbound/outbound-sender.js'
import { LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import type { Phase } from '../../sandbox/phase.js'
import {
  type Call,
  type ClassDoc,
  defineCapability,
  type FunctionDefinition,
  type ParamDoc,
} from '../define.js'
import { checkDomain, domainKind, domainsOf } from './domain-rules.js'
import { sendRequest } from './send.js'

const registrationPhases: readonly Phase[] = ['manifest', 'module']

/** A start or a stop must not depend on other servers. */
const sendPhases: readonly Phase[] = ['request', 'after_hook', 'read_hook', 'message', 'test']

const register: FunctionDefinition = {
  name: 'register',
  doc: [
    'Asks for a domain that requests may be sent to. An admin approves each one; before that, requests to it give an',
    'error. Can be called only at module scope. A domain that is registered twice counts once.',
    '',
    'A domain is one exact host in letters, digits, `.` and `-`, with at least one dot: no scheme, path, port or',
    `wildcard, at most ${outboundLimits.domainCharactersMax} characters; capitals do not matter. Raises`,
    `\`invalid domain\`, and \`maximum domain registration limit\` beyond ${outboundLimits.domainsMax} domains.`,
  ].join('\n'),
  params: [
    { name: 'domain', type: 'string', doc: 'Host, e.g. `api.example.com`.' },
    {
      name: 'options',
      type: 'any',
      optional: true,
      luaType: 'request.DomainOptions',
      doc: 'What the admin is told.',
    },
  ],
  returns: [],
  phases: registrationPhases,
  cost: 0,
  mode: 'sync',
  example: 'request.register("api.example.com", { description = "Exchange rates, once an hour." })',
  handler: registerDomain,
}

const urlParam: ParamDoc = {
  name: 'url',
  type: 'string',
  doc: 'Absolute URL, e.g. `https://api.example.com/v1/rates?base=EUR`.',
}

const optionsParam: ParamDoc = {
  name: 'options',
  type: 'any',
  optional: true,
  luaType: 'request.Options',
  doc: 'Headers, body, time; none when missing.',
}

const results = [
  {
    luaType: 'request.Result',
    doc: 'With `status`, `headers` and `body` for any answer, whatever its status; else with `error`.',
  },
]

const send: FunctionDefinition = {
  name: 'send',
  doc: [
    'Sends a request to another server and waits for the answer. What goes wrong on the way never raises: the result',
    'has the field `error`, a text. Nothing is tried again, and redirects are not followed.',
    '',
    'Only https, to an approved domain with a public address, on port 443 or 8443. `error` tells when the domain is',
    'not approved, its circuit breaker is open after failures in a row (no connection, an unreadable or too large',
    'response, a status of 500 or more), a rate limit is reached, a body is too large, or the request timed out',
    '(at the latest shortly before the call itself would).',
    '',
    'Raises `invalid HTTP method`; `invalid URL` for a URL without scheme and host or with userinfo; for options of a',
    'wrong type, and for both `body` and `json`. Not allowed at module scope, in on_init, in on_shutdown, inside',
    'before-hooks and inside `db.transaction`.',
  ].join('\n'),
  params: [
    {
      name: 'method',
      type: 'string',
      luaType: outboundMethods.map((method) => `"${method}"`).join('|'),
      doc: 'Method; capitals do not matter.',
    },
    urlParam,
    optionsParam,
  ],
  returns: results,
  permission: domainKind,
  phases: sendPhases,
  cost: 1,
  mode: 'async',
  example: [
    'local res = request.send("GET", "https://api.example.com/v1/rates", { parse_json = true, timeout = 3 })',
    'if res.error then return { status = 502, json = { error = res.error } } end',
    'return { json = res.json }',
  ].join('\n'),
  handler: (call, method, url, options) => sendRequest(call, 'request.send', { method, url, options }),
}

function shortcut(name: string): FunctionDefinition {
  const method = name.toUpperCase()
  return {
    name,
    doc: `Sends a ${method} request; the same as \`request.send("${method}", url, options)\`.`,
    params: [urlParam, optionsParam],
    returns: results,
    permission: domainKind,
    phases: sendPhases,
    cost: 1,
    mode: 'async',
    example: `local res = request.${name}("https://api.example.com/v1/items/7")`,
    handler: (call, url, options) => sendRequest(call, `request.${name}`, { method, url, options }),
  }
}

/** The Lua module `request`: HTTP requests to other servers. */
export const requestCapability = defineCapability({
  name: 'request',
  doc: [
    'Sends HTTP requests to other servers. A plugin registers the domains that it needs, and an admin approves them.',
    'While a request is under way, its call waits and keeps its VM; others of the plugin go on in the remaining ones.',
  ].join('\n'),
  functions: [register, send, ...['get', 'post', 'put', 'delete', 'patch'].map(shortcut)],
  classes: requestClasses(),
})

function registerDomain(call: Call, given: LuaValue, options: LuaValue): undefined {
  const domain = typeof given === 'string' ? given.toLowerCase() : '\ufffd'
  const fault = checkDomain(domain)
  if (fault !== undefined) throw new LuaRaise(`request.register: ${fault}`)
  const description = descriptionOf(options)
  const domains = domainsOf(call.registrations)
  if (domains.has(domain)) return
  if (domains.size >= outboundLimits.domainsMax) {
    throw new LuaRaise(
      `request.register: maximum domain registration limit reached: a plugin may have ${outboundLimits.domainsMax}`,
    )
  }
  // Nothing is called back: the number of the handler means nothing.
  call.register({ kind: domainKind, key: domain, data: { description } }, 0)
}

function descriptionOf(options: LuaValue): string {
  if (options === undefined) return ''
  if (typeof options !== 'object' || options === null || options instanceof Tagged) {
    throw new LuaRaise('request.register: the options must be a table')
  }
  const description = 'description' in options ? options.description : undefined
  if (description === undefined) return ''
  if (typeof description !== 'string') {
    throw new LuaRaise('request.register: the description must be UTF-8 text')
  }
  if (description.length > outboundLimits.descriptionCharactersMax) {
    throw new LuaRaise(
      `request.register: the description has ${description.length} characters; the limit is ${outboundLimits.descriptionCharactersMax}`,
    )
  }
  return description
}

function requestClasses(): ClassDoc[] {
  return [
    {
      name: 'request.DomainOptions',
      doc: 'What an admin is told of a domain.',
      fields: [
        {
          name: 'description',
          luaType: 'string?',
          doc: `What it is for, at most ${outboundLimits.descriptionCharactersMax} characters.`,
        },
      ],
    },
    {
      name: 'request.Options',
      doc: 'How a request is sent. Any other field raises.',
      fields: [
        {
          name: 'headers',
          luaType: 'table<string, string>?',
          doc: [
            `Headers by name, at most ${outboundLimits.requestHeadersMax}. Those of the connection, of proxies`,
            '(`X-Forwarded-*`), `Host`, `Accept-Encoding` and `X-Request-ID` are left out with a warning.',
          ].join(' '),
        },
        {
          name: 'body',
          luaType: 'string?',
          doc: 'Bytes to send, at most `plugin_request_max_body`. Name their type in `headers`.',
        },
        {
          name: 'json',
          luaType: 'any',
          doc: 'A value to send as JSON, type `application/json`; not together with `body`.',
        },
        {
          name: 'timeout',
          luaType: 'number?',
          doc: 'Seconds until the whole answer must be there. Lowers `plugin_request_timeout`, down to 1; never raises it.',
        },
        {
          name: 'parse_json',
          luaType: 'boolean?',
          doc: 'True decodes a response of type `application/json` into `json` of the result.',
        },
      ],
    },
    {
      name: 'request.Result',
      doc: 'How a request ended: with a response, or with `error`.',
      fields: [
        { name: 'error', luaType: 'string?', doc: 'Why there is no response; nil when there is one.' },
        { name: 'status', luaType: 'integer?', doc: 'Status of the response; 301 and the like too.' },
        { name: 'body', luaType: 'string?', doc: 'Bytes of the response, `""` without any.' },
        {
          name: 'headers',
          luaType: 'table<string, string>?',
          doc: 'Headers by lower-case name, the first value of each.',
        },
        {
          name: 'json',
          luaType: 'any',
          doc: 'The decoded body where `parse_json` asked for it; nil when it is no JSON.',
        },
      ],
    },
  ]
}
