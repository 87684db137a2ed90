import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import { type Call, defineCapability } from '../define.js'

/** The Lua module `config`: the values that operators give the plugin. */
export const configCapability = defineCapability({
  name: 'config',
  doc: [
    'Reads the values that operators give this plugin: those of `plugins.<name>` in config.json and the environment',
    'variables `MODULACMS__PLUGINS__<NAME>__<KEY>`, with the defaults of `plugin_info.config_schema`. They have been',
    'checked against that schema and stay the same as long as the host runs. Values of other plugins and of the host are',
    'not here, nor are those that the schema marks as secret.',
    '',
    'While only the manifest is read, no value is known yet: every key is missing then. A plugin that cannot get to the end of',
    'its init.lua without its values sets `plugin_info` before it asks for them.',
  ].join('\n'),
  functions: [
    {
      name: 'get',
      doc: [
        'Gives a value, or all values. Texts whose format is `duration` are numbers of milliseconds here. Tables are copies',
        'that belong to the caller: changing one changes nothing for others. Raises when the key is neither a text nor nil.',
      ].join('\n'),
      params: [
        {
          name: 'key',
          type: 'any',
          optional: true,
          luaType: 'string?',
          doc: 'Name of the value; a dot leads into a table, e.g. `limits.max`. All values when missing.',
        },
        {
          name: 'default',
          type: 'any',
          optional: true,
          doc: 'What is given when there is no such value; nil when missing.',
        },
      ],
      returns: [{ luaType: 'any', doc: 'The value, `default`, or a table of all values.' }],
      phases,
      cost: 0,
      mode: 'sync',
      example: 'local ttl_ms = config.get("limits.ttl", 60000)',
      handler: (call, key, preset) => find(call, key) ?? preset,
    },
  ],
})

function find({ limits }: Call, key: LuaValue): LuaValue {
  const { configuration = {} } = limits
  // The sandbox copies it into the VM, whatever it is made of.
  if (key === undefined) return configuration as LuaValue
  if (typeof key !== 'string') throw new LuaRaise('config.get: key must be a string')
  let value: unknown = configuration
  for (const name of key.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value as LuaValue
}
