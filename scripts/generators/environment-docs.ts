import { manifestLimits } from '../../src/base/limits/plugins.js'
import { vmLimits } from '../../src/base/limits/sandbox.js'
import type { ClassDoc, LuaFunctionDoc, ParamDoc } from '../../src/capabilities/define.js'
import { phases } from '../../src/sandbox/phase.js'

/** A library of Lua that plugins have, with what differs from Lua 5.4. */
export interface LibraryDoc {
  readonly name: string
  readonly members: readonly string[]
  readonly doc: string
}

const words = (text: string): readonly string[] => text.split(' ')

/** Global functions that are as in the manual of Lua 5.4. */
export const plainGlobals = words(
  '_G _VERSION assert error getmetatable ipairs next pairs pcall select setmetatable tonumber tostring type xpcall',
)

/** Global names of Lua 5.4 that plugins do not have. */
export const absentGlobals = words(
  'debug dofile io load loadfile os package rawequal rawget rawlen rawset warn',
)

/** The libraries of Lua that plugins have. Nothing can be written into them. */
export const libraryDocs: readonly LibraryDoc[] = [
  {
    name: 'string',
    members: words(
      'byte char find format gfind gmatch gsub len lower match pack packsize rep reverse sub unpack upper',
    ),
    doc: [
      '`dump` is absent, `format` has no `%p`, and `gfind` is `gmatch`. `rep` refuses results of more than',
      `${vmLimits.stringBytesMax / 1024 / 1024} MiB. A pattern that backtracks for long can be interrupted by the budget.`,
    ].join(' '),
  },
  {
    name: 'table',
    members: words('concat getn insert maxn move pack remove sort unpack'),
    doc: [
      `One call touches at most ${vmLimits.tableElementsMax.toLocaleString('en-US')} elements.`,
      '`getn` and `maxn` are those of Lua 5.1.',
    ].join(' '),
  },
  {
    name: 'math',
    members: words(
      'abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max maxinteger min mininteger mod modf pi pow rad random randomseed sin sinh sqrt tan tanh tointeger type ult',
    ),
    doc: [
      'The functions that Lua 5.4 has dropped are there. `random` starts differently in each VM; what it gives is no',
      'secret. `randomseed` returns nothing.',
    ].join(' '),
  },
  { name: 'utf8', members: words('char charpattern codepoint codes len offset'), doc: 'As in Lua 5.4.' },
  {
    name: 'coroutine',
    members: words('close create isyieldable resume running status wrap yield'),
    doc: 'A coroutine belongs to the call that created it: a later call cannot resume it.',
  },
]

const rest = (name: string, doc: string): ParamDoc => ({ name, type: 'any', rest: true, doc })

/** Global functions that are not, or not quite, those of Lua 5.4. */
export const globalFunctions: readonly LuaFunctionDoc[] = [
  {
    name: 'print',
    doc: `Writes a line to the host's log, with the plugin and the request; the values as text, between tabs. ${vmLimits.printBytesMax / 1024} KiB a line; the rest is cut.`,
    params: [rest('values', 'What to write.')],
    returns: [],
    phases,
    example: 'print("loaded", #rows, "rows")',
  },
  {
    name: 'require',
    doc: [
      'Gives what the file `lib/<name>.lua` of this plugin returns. The file runs once in each VM; a file that returns',
      'nothing, false or nil runs again each time. Only the plain name of a file is taken: no folders, nothing outside',
      "the plugin, and not the host's modules, which are global.",
    ].join('\n'),
    params: [{ name: 'name', type: 'string', doc: 'Name of the file without `.lua`.' }],
    returns: [{ luaType: 'any', doc: 'What the file returns.' }],
    phases,
    example: 'local validate = require("validate")',
  },
  {
    name: 'collectgarbage',
    doc: 'Tells how much memory the VM uses. Every other option raises: when to collect is up to the host.',
    params: [{ name: 'option', type: 'string', luaType: '"count"', doc: 'Only `"count"`.' }],
    returns: [{ luaType: 'number', doc: 'Memory in use, in KiB.' }],
    phases,
    example: 'local used_kib = collectgarbage("count")',
  },
  {
    name: 'unpack',
    doc: 'Gives the elements of a list as values: `table.unpack` under its name in Lua 5.1.',
    params: [
      { name: 'list', type: 'table', doc: 'The list.' },
      { name: 'first', type: 'integer', optional: true, doc: 'First index; 1 when missing.' },
      { name: 'last', type: 'integer', optional: true, doc: 'Last index; `#list` when missing.' },
    ],
    returns: [{ luaType: 'any ...', doc: 'The elements.' }],
    phases,
    example: 'local first, second = unpack({ "a", "b" })',
  },
]

const field = (name: string, luaType: string, doc: string) => ({ name, luaType, doc })

/** What a plugin says of itself. */
export const pluginInfoClass: ClassDoc = {
  name: 'PluginInfo',
  doc: 'Who the plugin is: the global table `plugin_info` of `init.lua`.',
  fields: [
    field(
      'name',
      'string',
      `The name of its folder: lower-case letters, digits and \`_\`, ${manifestLimits.nameBytesMax} at most. Part of every address and table name.`,
    ),
    field('version', 'string', 'Any text. Approvals belong to it.'),
    field('description', 'string', 'One sentence for admins.'),
    field('author', 'string?', 'Shown to admins.'),
    field('license', 'string?', 'Shown to admins.'),
    field('dependencies', 'string[]?', 'Names of plugins that must run before this one is loaded.'),
    field(
      'requires',
      'string[]?',
      'Names of Lua modules without which the plugin is not loaded, e.g. `"kv"`.',
    ),
    field(
      'config_schema',
      'table?',
      'JSON Schema of the values that it takes from the configuration; see `config`.',
    ),
    field(
      'min_cms_version',
      'string?',
      'The oldest version of the host that the plugin is written for; shown only.',
    ),
    field(
      'secrets',
      'string[]?',
      'Names of the secrets that `secrets.get` gives; operators give their values.',
    ),
    field(
      'core_access',
      'table<string, ("read"|"write")[]>?',
      'Core tables that it asks for; asking grants nothing.',
    ),
    field(
      'kv_access',
      'table<string, ("read"|"write")[]>?',
      'Shared namespaces of the key-value store that it asks for; asking grants nothing.',
    ),
    field(
      'gateway_access',
      '("log:read"|"stats:read"|"shell:write")[]?',
      'What it asks to read and change of the gateway; asking grants nothing.',
    ),
    field(
      'capabilities',
      'table[]?',
      'Rows `{ table, op, handler, priority }` of the pipelines that it offers.',
    ),
    field('screens', 'table[]?', 'Screens `{ name, label, icon, hidden }` for an admin interface.'),
    field('interfaces', 'table[]?', 'Field editors `{ name, label, mode }` for an admin interface.'),
    field('ui', 'table?', 'Custom element `{ tag, bundle, has_admin }` of an admin interface.'),
  ],
}
