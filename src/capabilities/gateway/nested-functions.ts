import type { CapabilityDefinition, FunctionDefinition } from '../define.js'

/**
 * Makes members of the module that are tables of functions, such as `cache` with `cache.get`: the functions are installed
 * under hidden names, and the Lua part of the module puts them into frozen tables.
 *
 * @param functions Functions with one dot in their names.
 */
export function nestFunctions(
  module: string,
  functions: readonly FunctionDefinition[],
): Required<Pick<CapabilityDefinition, 'functions' | 'luaFunctions' | 'lua'>> {
  const groups = [...new Set(functions.map(({ name }) => name.slice(0, name.indexOf('.'))))]
  const members = groups.map((group) => {
    const names = functions.map(({ name }) => name).filter((name) => name.startsWith(`${group}.`))
    const fields = names.map((name) => `${name.slice(group.length + 1)} = host["_${name}"]`)
    return `${group} = raw.freeze("${module}.${group}", { ${fields.join(', ')} })`
  })
  return {
    functions: functions.map((fn) => ({ ...fn, name: `_${fn.name}`, title: fn.name })),
    luaFunctions: functions,
    lua: `return function(host, raw) return { ${members.join(', ')} } end`,
  }
}
