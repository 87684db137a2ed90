import { secretLimits } from '../../base/limits/secrets.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import { type Call, defineCapability } from '../define.js'

/** The Lua module `secrets`. */
export const secretsCapability = defineCapability({
  name: 'secrets',
  doc: [
    'Passwords, keys and tokens that operators give the plugin. `plugin_info.secrets` lists their names; their values stand',
    'in the configuration, as `plugins.<plugin>.secrets.<name>`, from where no other plugin gets them. Values that',
    '`plugin_info.config_schema` marks as secret are here, too, by their dotted key.',
    '',
    'What the plugin logs, and the texts of its errors, show `***` in the place of a secret. An answer that has one in its',
    'headers or its body, as it is, in base64 or in hexadecimal digits, inside of JSON or of a URL, is withheld: the caller',
    'gets 500 `SECRET_IN_RESPONSE`, and the log names the secret. These are nets for accidents.',
  ].join('\n'),
  functions: [
    {
      name: 'get',
      doc: [
        'Gives the value of a secret; nil when the operator has given none. Raises for a name that neither `plugin_info.secrets`',
        'nor the schema has. Not allowed at module scope, where what it gives would end up in what the plugin registers.',
        '',
        `Limits: ${secretLimits.namesMax} secrets a plugin, each of ${secretLimits.charactersMin} to ${secretLimits.charactersMax} characters.`,
      ].join('\n'),
      params: [{ name: 'name', type: 'string', doc: 'Name of the secret, as the manifest lists it.' }],
      returns: [{ luaType: 'string?', doc: 'Its value.' }],
      phases: phases.filter((phase) => phase !== 'manifest' && phase !== 'module'),
      cost: 0,
      mode: 'sync',
      example: [
        'local res = request.post("https://api.example.com/v1/messages", {',
        '  headers = { Authorization = "Bearer " .. assert(secrets.get("api_token"), "no api_token is configured") },',
        '  json = { text = "hello" },',
        '})',
      ].join('\n'),
      handler: (call, name) => readSecret(call, name),
    },
  ],
})

function readSecret({ limits }: Call, given: LuaValue): LuaValue {
  const name = typeof given === 'string' ? given : ''
  const { secrets = {} } = limits
  if (Object.hasOwn(secrets, name)) return secrets[name] ?? undefined
  const shown = JSON.stringify(name.slice(0, secretLimits.nameCharactersMax))
  throw new LuaRaise(`secrets.get: the manifest has no secret ${shown}: list its name in plugin_info.secrets`)
}
