import { routeLimits } from '../../base/limits/plugins.js'
import type { Requirement } from '../../identity/requirement.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Phase } from '../../sandbox/phase.js'
import { readRouteAuth } from '../auth/requirement-reader.js'
import { type Call, type ClassDoc, defineCapability } from '../define.js'
import {
  checkAgainstRoutes,
  checkRouteMethod,
  checkRoutePath,
  middlewareKind,
  routeKey,
  routeKind,
  routesOf,
} from './route-rules.js'

const registrationPhases: readonly Phase[] = ['manifest', 'module']

const handlerType = 'fun(req: http.Request): http.Response'
const middlewareType = 'fun(req: http.Request): http.Response?'

/** The Lua module `http`: what a plugin answers requests with. */
export const httpCapability = defineCapability({
  name: 'http',
  doc: [
    'Registers routes and middleware. Routes are served under `/api/v1/plugins/<plugin name>` once an admin has',
    'approved them. Both functions can be called only at module scope, when init.lua is loaded.',
  ].join('\n'),
  functions: [
    {
      name: 'handle',
      doc: [
        'Registers a handler for one method and path.',
        '',
        'A path may have parameters: `{name}` stands for one segment that is not empty, `{name...}` at the end for',
        'all further ones; both are URL-decoded and arrive in `req.params`. A path that ends in `/` serves all that',
        'is below it. Where several routes match, the more specific one answers: text goes before `{name}`, and',
        '`{name}` before `{name...}`. A GET route also answers HEAD.',
        '',
        `Limits: ${routeLimits.pathBytesMax} bytes a path, letters, digits and \`/ _ { } . -\`; as many routes as`,
        `\`plugin_max_routes\` says (${routeLimits.routesMax}).`,
        '',
        'Raises `invalid HTTP method`, `invalid route path`, `duplicate route`, `maximum route limit`, and',
        '`conflicting routes` when a request could match two routes of which neither is more specific. Raises for options',
        'that there are not: a misspelt one would leave the route open to more callers than it should be.',
      ].join('\n'),
      params: [
        {
          name: 'method',
          type: 'string',
          luaType: '"GET"|"POST"|"PUT"|"DELETE"|"PATCH"',
          doc: 'Method, in upper case.',
        },
        { name: 'path', type: 'string', doc: 'Path behind the prefix of the plugin; starts with `/`.' },
        {
          name: 'handler',
          type: 'function',
          luaType: handlerType,
          doc: 'Gets the request and returns the response. What it raises is logged and answered with a plain 500.',
        },
        {
          name: 'options',
          type: 'any',
          optional: true,
          luaType: 'http.RouteOptions',
          doc: 'How the route is guarded; without it, callers must be signed in, and may be anybody.',
        },
      ],
      returns: [],
      phases: registrationPhases,
      cost: 0,
      mode: 'sync',
      example: [
        'http.handle("GET", "/tasks/{id}", function(req)',
        '  local task = db.query_one("tasks", { where = { id = req.params.id } })',
        '  if not task then return { status = 404, json = { error = "no such task" } } end',
        '  return { json = task }',
        'end)',
      ].join('\n'),
      handler: registerRoute,
    },
    {
      name: 'use',
      doc: [
        'Adds middleware: a function that runs before the handler of each route of this plugin, in the order of',
        'registration and in the same VM. It gets the same request table, and what it adds to it the handler sees.',
        'A table that it returns is the response, and nothing after it runs; any other value goes on.',
        '',
        `Limit: ${routeLimits.middlewareMax} functions. Raises \`maximum middleware limit\`.`,
      ].join('\n'),
      params: [
        { name: 'middleware', type: 'function', luaType: middlewareType, doc: 'Runs before the handlers.' },
      ],
      returns: [],
      phases: registrationPhases,
      cost: 0,
      mode: 'sync',
      example: [
        'http.use(function(req)',
        '  if req.headers["x-api-version"] == "1" then return { status = 410, body = "version 1 is gone" } end',
        'end)',
      ].join('\n'),
      handler: registerMiddleware,
    },
  ],
  classes: httpClasses(),
})

function registerRoute(
  call: Call,
  method: LuaValue,
  path: LuaValue,
  handler: LuaValue,
  options: LuaValue,
): undefined {
  if (typeof method !== 'string') throw new LuaRaise('http.handle: invalid HTTP method: it is not UTF-8 text')
  if (typeof path !== 'string') throw new LuaRaise('http.handle: invalid route path: it is not UTF-8 text')
  const routesMax = call.limits.extra.routesMax ?? routeLimits.routesMax
  const fault =
    checkRouteMethod(method) ??
    checkRoutePath(path) ??
    checkAgainstRoutes({ method, path }, routesOf(call.registrations), routesMax)
  if (fault !== undefined) throw new LuaRaise(`http.handle: ${fault}`)
  const guard = guardOf(options)
  const data = { method, path, ...guard }
  call.register({ kind: routeKind, key: routeKey(method, path), data }, functionOf(handler))
}

function registerMiddleware(call: Call, middleware: LuaValue): undefined {
  const count = call.registrations.filter(({ kind }) => kind === middlewareKind).length
  if (count >= routeLimits.middlewareMax) {
    throw new LuaRaise(
      `http.use: maximum middleware limit reached: a plugin may have ${routeLimits.middlewareMax}; merge some`,
    )
  }
  call.register({ kind: middlewareKind, key: String(count + 1), data: {} }, functionOf(middleware))
}

interface Guard {
  readonly public: boolean
  readonly requires?: Requirement
}

const optionNames: readonly string[] = ['public', 'auth']

/**
 * Reads the options of a route. Only a true boolean opens it: anything else leaves it guarded.
 *
 * @throws LuaRaise for options that there are not, and for a route that would be open and guarded.
 */
function guardOf(options: LuaValue): Guard {
  if (typeof options !== 'object' || options === null) return { public: false }
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name))
  if (unknown !== undefined) {
    const name = JSON.stringify(unknown.slice(0, 64))
    throw new LuaRaise(`http.handle: unknown option ${name}; there are ${optionNames.join(', ')}`)
  }
  const { public: open, auth } = options as { readonly public?: LuaValue; readonly auth?: LuaValue }
  if (auth === undefined) return { public: open === true }
  if (open !== undefined && open !== false) {
    throw new LuaRaise(
      'http.handle: a route that is public asks nothing of its callers: leave out public, or leave out auth',
    )
  }
  try {
    return { public: false, requires: readRouteAuth(auth) }
  } catch (error) {
    throw error instanceof LuaRaise ? new LuaRaise(`http.handle: ${error.message}`) : error
  }
}

function functionOf(value: LuaValue): number {
  if (value instanceof FunctionRef) return value.ref
  throw new LuaRaise('a function is expected')
}

function httpClasses(): ClassDoc[] {
  return [
    {
      name: 'http.RouteOptions',
      doc: 'How a route is guarded.',
      fields: [
        {
          name: 'public',
          luaType: 'boolean?',
          doc: 'True serves callers without credentials. Left out: they get 401.',
        },
        {
          name: 'auth',
          luaType: 'auth.Requirement?',
          doc: [
            'What callers need, made by `auth.require`. Who has no credential gets 401, who lacks something 403, and the',
            'handler and the middleware do not run. Not together with `public`. Other options are refused.',
          ].join(' '),
        },
      ],
    },
    {
      name: 'http.User',
      doc: 'Who is calling.',
      fields: [
        { name: 'id', luaType: 'string', doc: 'Identifier that never changes.' },
        { name: 'username', luaType: 'string', doc: 'Name for people.' },
        { name: 'role', luaType: 'string', doc: 'Role, e.g. `admin`.' },
      ],
    },
    requestClass(),
    responseClass(),
  ]
}

function requestClass(): ClassDoc {
  return {
    name: 'http.Request',
    doc: 'A request. The table is fresh for each one; middleware may add fields for the handler.',
    fields: [
      { name: 'method', luaType: 'string', doc: 'Method in upper case; `HEAD` may arrive at a GET route.' },
      { name: 'path', luaType: 'string', doc: 'Decoded path with the prefix, without the query.' },
      {
        name: 'body',
        luaType: 'string',
        doc: 'Bytes of the body, `""` without one. At most `plugin_max_request_body`; larger ones get 413.',
      },
      { name: 'client_ip', luaType: 'string', doc: 'Address of the caller, without the port.' },
      {
        name: 'headers',
        luaType: 'table<string, string>',
        doc: "Headers by lower-case name, the first value of each; the caller's credentials are left out.",
      },
      {
        name: 'query',
        luaType: 'table<string, string>',
        doc: 'Query parameters, the first value of each.',
      },
      {
        name: 'params',
        luaType: 'table<string, string>',
        doc: 'Path parameters by name, URL-decoded; one without text is absent.',
      },
      {
        name: 'json',
        luaType: 'any',
        doc: 'The decoded body when its type is `application/json`; nil when it is not JSON (see `body`).',
      },
      {
        name: 'user',
        luaType: 'http.User?',
        doc: 'The signed-in caller; on a public route nil for anyone else.',
      },
      {
        name: 'identity',
        luaType: 'auth.Identity',
        doc: 'Who sends the request, with all that is known of them; its `type` is `"anonymous"` for a stranger.',
      },
      { name: '[string]', luaType: 'any', doc: 'What middleware has added.' },
    ],
  }
}

function responseClass(): ClassDoc {
  return {
    name: 'http.Response',
    doc: [
      'A response. Anything but a table is a 500 `HANDLER_ERROR`; more than `plugin_max_response_body` bytes are a',
      '500 `RESPONSE_TOO_LARGE`.',
    ].join('\n'),
    fields: [
      { name: 'status', luaType: 'integer?', doc: 'Status from 200 to 599. Left out: 200.' },
      {
        name: 'json',
        luaType: 'any',
        doc: 'A value to send as JSON, type `application/json`; goes before `body`.',
      },
      {
        name: 'body',
        luaType: 'string?',
        doc: 'Bytes to send. Type: the `Content-Type` of `headers`, else plain text.',
      },
      {
        name: 'headers',
        luaType: 'table<string, string>?',
        doc: [
          'Further headers. Those that belong to the host are left out with a warning: cookies, `Access-Control-*`,',
          '`Cache-Control`, security headers, and what frames the message.',
        ].join(' '),
      },
    ],
  }
}
