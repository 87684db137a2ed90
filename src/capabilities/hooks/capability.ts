import { hookLimits } from '../../base/limits/hooks.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { workPhases } from '../../sandbox/phase.js'
import { type Call, type ClassDoc, defineCapability } from '../define.js'
import { hookEvents } from './events.js'
import { checkHook, hookRegistration, readPriority } from './hook-rules.js'
import { recordAction } from './recorded-action.js'

const eventType = hookEvents.map((event) => `"${event}"`).join('|')

/** The Lua module `hooks`: what a plugin does around writes and deliveries of content. */
export const hooksCapability = defineCapability({
  name: 'hooks',
  doc: [
    'Registers functions that run around writes to content tables and around the delivery of published content. A hook',
    'runs once an admin has approved its event and table. It can be registered only at module scope, when init.lua is',
    'loaded.',
  ].join('\n'),
  functions: [
    {
      name: 'on',
      doc: [
        'Registers a hook for an event and a table.',
        '',
        '- `before_create`, `before_update`, `before_delete`, `before_publish`, `before_archive` run one after the other',
        '  ahead of the write, on the row as it will be (`data`), with the row as it was in `data._old` where there is',
        '  one. Returning nothing allows the write, `{ set = {...} }` changes columns of it, `{ deny = "message" }`',
        '  refuses it: the client gets 422 with the message. An error refuses it too, without its text, and counts: after',
        '  `plugin_hook_max_consecutive_aborts` errors in a row the hook is switched off until the plugin is reloaded.',
        '  There is no database, no network and no core table in here: the write waits.',
        '- `after_create`, `after_update`, `after_delete`, `after_publish`, `after_archive` run when the write is committed,',
        '  later and at least once, also after a crash. An error is tried again with growing pauses. `data._delivery` is',
        '  the same at each try.',
        '- `before_read` and `after_read` run around the delivery of a published entry of `content_data`. The first gets',
        '  `slug`, `headers`, `query` and `client_ip`, and may return `{ status, json, headers }` to answer by itself; keys',
        '  that start with `_` which it sets in `data` are seen by all later read hooks. The second may return',
        '  `{ headers = {...} }` to add headers. What fails is skipped.',
        '',
        'Hooks run by ascending priority; at equal priority those for a table before those for `"*"`, then in the order',
        'of registration.',
        '',
        `Limits: ${hookLimits.registrationsMax} hooks a plugin; \`plugin_hook_timeout_ms\` for one and`,
        '`plugin_hook_event_timeout_ms` for all hooks of one write; `plugin_hook_max_ops` database operations.',
        '',
        'Raises `invalid hook event`, `invalid hook table` and `maximum hook limit`.',
      ].join('\n'),
      params: [
        { name: 'event', type: 'string', luaType: eventType, doc: 'When it runs.' },
        {
          name: 'table',
          type: 'string',
          doc: 'Name of a table, e.g. `content_data`; `"*"` for every table, but not for read hooks.',
        },
        {
          name: 'handler',
          type: 'function',
          luaType: 'fun(data: hooks.Data): hooks.Result?',
          doc: 'Gets a fresh copy of the data, for itself alone.',
        },
        {
          name: 'options',
          type: 'any',
          optional: true,
          luaType: 'hooks.Options',
          doc: `Its priority; without it, ${hookLimits.priorityDefault}.`,
        },
      ],
      returns: [],
      phases: ['manifest', 'module'],
      cost: 0,
      mode: 'sync',
      example: [
        'hooks.on("before_create", "content_data", function(data)',
        '  if not data.title then return { deny = "a title is needed" } end',
        '  return { set = { title = data.title:gsub("^%s+", "") } }',
        'end, { priority = 50 })',
      ].join('\n'),
      handler: registerHook,
    },
    {
      name: 'record',
      doc: [
        'Tells the hooks for the table `host_actions` what somebody has done, e.g. for the audit log. The action gets the name',
        'of the plugin in front: `token.create` of the plugin `shop` is `shop.token.create`, and `plugins.user.token.create` of a plugin with the name',
        'of something that the host itself records, as `user`. Nothing is kept where no hook waits for it. Never put a credential into it; secrets of the plugin are taken out.',
        '',
        'It neither waits nor fails where it cannot be recorded: that is counted and logged by the host.',
        '',
        `Limits: ${hookLimits.actionDetailsBytesMax} bytes as JSON. Raises for an action that is no words with dots between them, and for`,
        'fields that there are not.',
      ].join('\n'),
      params: [
        { name: 'action', type: 'string', doc: 'What was done, e.g. `token.create`.' },
        {
          name: 'fields',
          type: 'any',
          optional: true,
          luaType: 'hooks.Action',
          doc: 'Who has done it, and to what.',
        },
      ],
      returns: [],
      phases: workPhases,
      cost: 1,
      mode: 'sync',
      example: [
        'hooks.record("token.create", {',
        '  identity = req.identity, resource_type = "token", resource_id = id, client_ip = req.client_ip,',
        '})',
      ].join('\n'),
      handler: recordAction,
    },
  ],
  classes: hookClasses(),
})

function registerHook(
  call: Call,
  event: LuaValue,
  table: LuaValue,
  handler: LuaValue,
  options: LuaValue,
): undefined {
  if (typeof event !== 'string') throw new LuaRaise('hooks.on: invalid hook event: it is not UTF-8 text')
  if (typeof table !== 'string') throw new LuaRaise('hooks.on: invalid hook table: it is not UTF-8 text')
  const count = call.registrations.filter(({ kind }) => kind === hookRegistration).length
  const fault = checkHook(event, table, count)
  if (fault !== undefined) throw new LuaRaise(`hooks.on: ${fault}`)
  if (!(handler instanceof FunctionRef)) throw new LuaRaise('hooks.on: a function is expected')
  const key = `${event}:${table}#${count + 1}`
  call.register(
    { kind: hookRegistration, key, data: { event, table, priority: readPriority(options) } },
    handler.ref,
  )
}

function hookClasses(): ClassDoc[] {
  const { priorityDefault, priorityMax, priorityMin } = hookLimits
  return [
    {
      name: 'hooks.Options',
      doc: 'How a hook is placed among others.',
      fields: [
        {
          name: 'priority',
          luaType: 'number?',
          doc: `Lower runs earlier: ${priorityMin} to ${priorityMax}, what is beyond counts as the nearest. Left out: ${priorityDefault}.`,
        },
      ],
    },
    {
      name: 'hooks.Action',
      doc: 'What is to be recorded. Other members are refused.',
      fields: [
        {
          name: 'identity',
          luaType: 'auth.Identity?',
          doc: 'Who has done it: `req.identity`. Left out: nobody that is known.',
        },
        { name: 'outcome', luaType: '"success"|"failure"|nil', doc: 'Left out: `"success"`.' },
        {
          name: 'resource_type',
          luaType: 'string?',
          doc: 'What it was done to. Left out: the first word of the action.',
        },
        { name: 'resource_id', luaType: 'string?', doc: 'Which of these.' },
        { name: 'details', luaType: 'table<string, any>?', doc: 'What else is worth knowing.' },
        { name: 'client_ip', luaType: 'string?', doc: 'Where the request came from.' },
      ],
    },
    {
      name: 'hooks.Data',
      doc: 'What a hook gets: the columns of the row, or what is asked for in read hooks, and these members.',
      fields: [
        { name: '_event', luaType: 'string', doc: 'The event, e.g. `before_create`.' },
        { name: '_table', luaType: 'string', doc: 'The table that is written, also for a hook on `"*"`.' },
        { name: '_old', luaType: 'table?', doc: 'The row as it was, at update, publish and archive.' },
        { name: '_actor', luaType: 'string?', doc: 'Name of the user who writes; nil when nobody is known.' },
        {
          name: '_identity',
          luaType: '{ type: string, id: string, name: string?, tenant_id: string? }?',
          doc: 'Who that is; nil for plugins and for an embedding application.',
        },
        { name: '_request_id', luaType: 'string', doc: 'The request that writes, as log lines have it.' },
        {
          name: '_at',
          luaType: 'string?',
          doc: 'In after-hooks: when it was written, as RFC 3339 with milliseconds.',
        },
        {
          name: '_delivery',
          luaType: 'string?',
          doc: 'In after-hooks: names this delivery, equal at each try, so that an effect can be had once.',
        },
        { name: '_attempt', luaType: 'integer?', doc: 'In after-hooks: 1 at the first try.' },
        {
          name: '[string]',
          luaType: 'any',
          doc: 'A column; null columns are absent. In read hooks also state.',
        },
      ],
    },
    {
      name: 'hooks.Result',
      doc: 'What a hook may return; anything else, and nothing, lets things be.',
      fields: [
        {
          name: 'deny',
          luaType: 'string?',
          doc: `Before writes: refuses with this message for the client, at most ${hookLimits.denyBytesMax} bytes.`,
        },
        {
          name: 'set',
          luaType: 'table?',
          doc: 'Before writes: columns to change; `json.null` empties one. Names that start with `_` are refused.',
        },
        { name: 'status', luaType: 'integer?', doc: 'In before_read: status from 200 to 599 of an answer.' },
        { name: 'json', luaType: 'table?', doc: 'In before_read: body of the answer.' },
        {
          name: 'headers',
          luaType: 'table<string, string>?',
          doc: 'In read hooks: headers to send, without those that belong to the host and `Content-Type`.',
        },
      ],
    },
  ]
}
