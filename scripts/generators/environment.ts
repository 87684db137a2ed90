import {
  absentGlobals,
  globalFunctions,
  libraryDocs,
  plainGlobals,
  pluginInfoClass,
} from './environment-docs.js'
import { functionChapter, pageHead, shapeChapter } from './lua-page.js'
import { classStub, comment, functionStub, stubHead } from './lua-stub.js'

const source = 'scripts/generators/environment-docs.ts'

/** What is in the libraries that plugins do not have, so that an editor strikes it out. */
const absentFunctions = absentGlobals.filter((name) => !['debug', 'io', 'os', 'package'].includes(name))

/** Makes the LuaLS meta file of the global environment. */
export function environmentStub(): string {
  const absent = [...absentFunctions, 'string.dump'].map(
    (name) => `---Does not exist in plugins.\n---@deprecated\nfunction ${name}(...) end`,
  )
  const parts = [
    stubHead(source),
    [
      '-- An editor knows the rest of Lua 5.4 by itself. The libraries debug, io, os and package do not exist in plugins;',
      '-- .luarc.json turns them off. The other names that do not exist stand at the end of this file.',
    ].join('\n'),
    classStub(pluginInfoClass),
    '---@type PluginInfo\nplugin_info = nil',
    [
      ...comment('Runs once for each loaded version, before any request: the place to define tables.'),
      '---@type fun()?',
      'on_init = nil',
    ].join('\n'),
    [
      ...comment('Runs once when the plugin is stopped or disabled; not at a reload.'),
      '---@type fun()?',
      'on_shutdown = nil',
    ].join('\n'),
    ...globalFunctions.map((fn) => functionStub('', fn)),
    ...absent,
  ]
  return `${parts.join('\n\n')}\n`
}

/** Makes the reference page of the global environment, in Markdown. */
export function environmentPage(): string {
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(' ')
  const about = [
    'The language is Lua 5.4. Host modules are global: [db](db.md), [http](http.md), [json](json.md), [log](log.md).',
    'Host names can be neither changed nor reassigned, and global names that a call creates are removed when it ends.',
    '',
    `As in the Lua manual: ${code(plainGlobals)}. \`setmetatable\` refuses metatables with \`__gc\`, and \`tostring\` shows`,
    'no addresses.',
    '',
    `Absent: ${code(absentGlobals)}.`,
  ].join('\n')
  const libraries = libraryDocs.map(
    ({ name, members, doc }) => `\n## ${name}\n\n${doc}\n\n${code(members.map((each) => `${name}.${each}`))}`,
  )
  const parts = [
    pageHead('Globals', source, about),
    ...globalFunctions.map((fn) => functionChapter('', fn)),
    ...libraries,
    shapeChapter(pluginInfoClass),
  ]
  return `${parts.join('\n')}\n`
}
