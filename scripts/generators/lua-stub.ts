import type { Capability, ClassDoc, LuaFunctionDoc } from '../../src/capabilities/define.js'
import { callOf, generatedFrom, typeOf, visibleFunctions } from './signature.js'

/** Makes the LuaLS meta file of one Lua module: an editor completes and checks by it; it is never run. */
export function moduleStub(capability: Capability): string {
  const constants = capability.constants ?? []
  const parts = [
    stubHead('src/capabilities'),
    ...(capability.classes ?? []).map(classStub),
    [
      ...comment(capability.doc),
      `---@class ${capability.name}`,
      ...constants.map(({ name, luaType, doc }) => `---@field ${name} ${luaType} ${oneLine(doc)}`),
      `${capability.name} = {}`,
    ].join('\n'),
    ...groupsOf(capability).map((name) => `---@class ${name}\n${name} = {}`),
    ...visibleFunctions(capability).map((fn) => functionStub(capability.name, fn)),
  ]
  return `${parts.join('\n\n')}\n`
}

/** Members of a module that are tables of functions, e.g. `gateway.cache` with `gateway.cache.get`. */
function groupsOf(capability: Capability): readonly string[] {
  const dotted = visibleFunctions(capability).filter(({ name }) => name.includes('.'))
  return [...new Set(dotted.map(({ name }) => `${capability.name}.${name.slice(0, name.indexOf('.'))}`))]
}

/** First lines of a meta file. */
export function stubHead(source: string): string {
  return `---@meta\n-- ${generatedFrom(source)}`
}

/** Writes one class, or the alias that it stands for. */
export function classStub({ name, doc, alias, fields }: ClassDoc): string {
  if (alias !== undefined) return [...comment(doc), `---@alias ${name} ${alias}`].join('\n')
  const lines = fields.map((field) => {
    const text = oneLine(field.doc)
    if (field.name.startsWith('[')) return `---@field ${field.name} ${field.luaType} ${text}`
    // What a function gives may be nil at the end of its type; the function itself is there.
    const isFunction = field.luaType.startsWith('fun(')
    const type = isFunction ? field.luaType : field.luaType.replace(/(?:\?|\|nil)$/, '')
    return `---@field ${field.name}${type === field.luaType ? '' : '?'} ${type} ${text}`
  })
  return [...comment(doc), `---@class ${name}`, ...lines].join('\n')
}

/**
 * Writes one function with an empty body.
 *
 * @param owner Module of the function; the empty text for a global.
 */
export function functionStub(owner: string, fn: LuaFunctionDoc): string {
  const params = fn.params.map((param) => {
    const name = param.rest === true ? '...' : `${param.name}${param.optional === true ? '?' : ''}`
    return `---@param ${name} ${typeOf(param)} ${oneLine(param.doc)}`
  })
  const returns = fn.returns.map(({ luaType, doc }) => `---@return ${luaType} # ${oneLine(doc)}`)
  const example =
    fn.example === undefined ? [] : ['---', '---```lua', ...fn.example.split('\n').map(prefixed), '---```']
  return [...comment(fn.doc), ...example, ...params, ...returns, `function ${callOf(owner, fn)} end`].join(
    '\n',
  )
}

/** Writes a text as comment lines that an editor shows. */
export function comment(text: string): readonly string[] {
  return text.split('\n').map(prefixed)
}

function prefixed(line: string): string {
  return `---${line}`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
