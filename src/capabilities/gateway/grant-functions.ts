import { canonicalIp } from '../../base/ip-address.js'
import { gatewayServiceLimits, monitorLimits, shellLimits } from '../../base/limits/gateway.js'
import { isBasename } from '../../gateway/shell/basenames.js'
import { failure, LuaRaise, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { storagePhases, workPhases } from '../../sandbox/phase.js'
import { errorReturned } from '../db/bind.js'
import type { ClassDoc, FunctionDefinition, ParamDoc } from '../define.js'
import { readOptions } from '../kv/options.js'
import { serviceFunction } from './service-function.js'
import { readCount, showGiven } from './service-options.js'
import { gatewayTopics, type LogQuestion } from './service-wire.js'

const { logRowsDefault, logRowsMax, lookOperations } = gatewayServiceLimits

const looking = { permission: 'gateway', phases: storagePhases, cost: lookOperations } as const
const changing = { permission: 'gateway', phases: workPhases, cost: 1 } as const

const basenameParam: ParamDoc = {
  name: 'basename',
  type: 'string',
  doc: `First segment of the paths: letters, digits, \`_\` and \`-\`, at most ${shellLimits.basenameLengthMax}.`,
}

const needed = (access: string): string =>
  `Needs \`gateway_access = { "${access}" }\` in \`plugin_info\` and the approval of an admin; before that, and once it is withdrawn, it gives \`nil, message\`.`

/** What a plugin can ask of the gateway once an admin has approved it. */
export const grantFunctions: readonly FunctionDefinition[] = [
  serviceFunction({
    ...looking,
    name: 'log.query',
    topic: gatewayTopics.logQuery,
    doc: [
      'Lists the last requests that the host has served, newest first, whoever answered them. There are no queries, no',
      'headers and no bodies in it; who asks for a path may still see what others have put into paths.',
      needed('log:read'),
      '',
      `Limits: ${logRowsDefault} requests unless \`limit\` says otherwise, ${logRowsMax} at most, of those that the log keeps`,
      `(\`gateway.log.size\`). Costs ${lookOperations} operations. Raises for a filter that means nothing.`,
    ].join('\n'),
    params: [
      {
        name: 'filter',
        type: 'any',
        optional: true,
        luaType: 'gateway.LogFilter',
        doc: 'Which requests; all when missing.',
      },
    ],
    returns: [{ luaType: 'gateway.LogEntry[]?', doc: 'The requests; nil when it failed.' }, errorReturned],
    example: 'local refused, err = gateway.log.query({ rate_limited = true, limit = 10 })',
    ask: readLogQuestion,
  }),
  serviceFunction({
    ...looking,
    name: 'stats',
    topic: gatewayTopics.stats,
    doc: [
      'Tells how the parts of the gateway are doing, in numbers.',
      needed('stats:read'),
      `Costs ${lookOperations} operations.`,
    ].join('\n'),
    params: [],
    returns: [{ luaType: 'gateway.Stats?', doc: 'The figures; nil when it failed.' }, errorReturned],
    example:
      'local stats = gateway.stats()\nif stats then log.info("served", { requests = stats.requests.total }) end',
    ask: () => undefined,
  }),
  serviceFunction({
    ...changing,
    name: 'shell.exclude',
    topic: gatewayTopics.shellExclude,
    doc: [
      'Takes the pages of a basename from the shell, at once and until `gateway.shell.include` or an admin gives them',
      'back, also over restarts.',
      needed('shell:write'),
      '',
      `Fails where no shell is configured, and beyond ${shellLimits.excludesMax} basenames. Costs one operation.`,
    ].join('\n'),
    params: [basenameParam],
    returns: [
      { luaType: 'boolean?', doc: 'False when it was so already; nil when it failed.' },
      errorReturned,
    ],
    example: 'local changed, err = gateway.shell.exclude("reports")',
    ask: readBasename,
  }),
  serviceFunction({
    ...changing,
    name: 'shell.include',
    topic: gatewayTopics.shellInclude,
    doc: [
      'Gives the pages of a basename back to the shell, whoever has excluded them. What the configuration excludes stays',
      'excluded.',
      needed('shell:write'),
      'Costs one operation.',
    ].join('\n'),
    params: [basenameParam],
    returns: [
      { luaType: 'boolean?', doc: 'False when it was not excluded; nil when it failed.' },
      errorReturned,
    ],
    example: 'local changed, err = gateway.shell.include("reports")',
    ask: readBasename,
  }),
]

function readBasename(basename: LuaValue): { readonly basename: string } | Results {
  if (typeof basename === 'string' && isBasename(basename)) return { basename }
  const shown = typeof basename === 'string' ? JSON.stringify(basename.slice(0, 64)) : 'given'
  return failure(
    `the basename ${shown} cannot be used: it must be 1 to ${shellLimits.basenameLengthMax} letters, digits, "_" and "-"`,
  )
}

const filterNames = ['limit', 'ip', 'path', 'status', 'status_range', 'rate_limited'] as const

function readLogQuestion(filter: LuaValue): LogQuestion {
  const { limit, ip, path, rate_limited, status, status_range } = readOptions(filter, filterNames)
  const whole = (name: string, value: LuaValue, min: number, max: number): number | undefined =>
    value === undefined ? undefined : readCount(name, value, min, max)
  return {
    limit: whole('limit', limit, 1, logRowsMax) ?? logRowsDefault,
    ip: readIp(ip),
    path: readPath(path),
    rateLimited: readFlag(rate_limited),
    status: whole('status', status, 100, 599),
    statusRange: whole('status_range', status_range, 1, 5),
  }
}

function readIp(value: LuaValue): string | undefined {
  if (value === undefined) return undefined
  const ip = typeof value === 'string' ? canonicalIp(value) : undefined
  if (ip !== undefined) return ip
  throw new LuaRaise(`the ip must be an IP address, ${described(value)}`)
}

function readPath(value: LuaValue): string | undefined {
  if (value === undefined) return undefined
  const { pathLengthMax } = monitorLimits
  if (typeof value === 'string' && value !== '' && value.length <= pathLengthMax) return value
  throw new LuaRaise(
    `the path must be a part of a path of 1 to ${pathLengthMax} characters, ${described(value)}`,
  )
}

function readFlag(value: LuaValue): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw new LuaRaise(`rate_limited must be true or false, ${showGiven(value)}`)
}

function described(value: LuaValue): string {
  return typeof value === 'string' ? `not ${JSON.stringify(value.slice(0, 64))}` : showGiven(value)
}

export const grantClasses: readonly ClassDoc[] = [
  {
    name: 'gateway.LogFilter',
    doc: 'Which requests of the log are wanted; all members must fit. Other members are refused.',
    fields: [
      {
        name: 'limit',
        luaType: 'integer?',
        doc: `How many, at most ${logRowsMax}. Left out: ${logRowsDefault}.`,
      },
      { name: 'ip', luaType: 'string?', doc: 'Address of the client, in any spelling.' },
      { name: 'path', luaType: 'string?', doc: 'A part of the path, as it is; no pattern.' },
      { name: 'status', luaType: 'integer?', doc: 'The status.' },
      { name: 'status_range', luaType: 'integer?', doc: 'First digit of the status, e.g. 4.' },
      { name: 'rate_limited', luaType: 'boolean?', doc: 'Whether the rate limit of the host refused it.' },
    ],
  },
  {
    name: 'gateway.LogEntry',
    doc: 'One request that has ended.',
    fields: [
      { name: 'id', luaType: 'string', doc: 'The same at every look.' },
      { name: 'timestamp', luaType: 'integer', doc: 'When it ended, in milliseconds since 1970.' },
      { name: 'ip', luaType: 'string', doc: 'Address of the client.' },
      { name: 'method', luaType: 'string', doc: 'Method in upper case.' },
      {
        name: 'path',
        luaType: 'string',
        doc: `Path without the query, at most ${monitorLimits.pathLengthMax} characters.`,
      },
      {
        name: 'status',
        luaType: 'integer',
        doc: 'Status of the answer; 499 when the client went away before it.',
      },
      { name: 'duration', luaType: 'number', doc: 'Milliseconds.' },
      { name: 'rate_limited', luaType: 'boolean', doc: 'Whether the rate limit of the host refused it.' },
    ],
  },
  {
    name: 'gateway.Stats',
    doc: 'The parts of the gateway in numbers; a part that is off is nil.',
    fields: [
      { name: 'requests', luaType: 'gateway.RequestStats', doc: 'The requests of the log.' },
      {
        name: 'rate_limit',
        luaType: '{ total: integer, allowed: integer, blocked: integer, buckets: integer }?',
        doc: 'What the rate limit of the host has counted since its start.',
      },
      {
        name: 'cache',
        luaType: '{ entries: integer, bytes: integer, hits: integer, misses: integer }?',
        doc: 'The response cache.',
      },
      { name: 'shell', luaType: '{ excludes: integer }?', doc: 'Basenames that never get the shell.' },
      { name: 'cors', luaType: '{ rules: integer }', doc: 'Rules for other origins.' },
    ],
  },
  {
    name: 'gateway.RequestStats',
    doc: 'The requests of the log in numbers.',
    fields: [
      { name: 'total', luaType: 'integer', doc: 'Requests that the log keeps.' },
      { name: 'rate_limited', luaType: 'integer', doc: 'Those that the rate limit refused.' },
      {
        name: 'by_status',
        luaType: 'table<string, integer>',
        doc: 'By class, e.g. `["2xx"]`; classes without a request are missing.',
      },
      { name: 'avg_duration', luaType: 'number', doc: 'Milliseconds; 0 without a request.' },
    ],
  },
]
