import type { Capability, ClassDoc, LuaFunctionDoc } from '../../src/capabilities/define.js'
import { type Phase, phases } from '../../src/sandbox/phase.js'
import { callOf, generatedFrom, typeOf, visibleFunctions } from './signature.js'

/** Where a function may be called, as a reader of the reference knows the places. */
const phasePlaces: Readonly<Record<Exclude<Phase, 'manifest'>, string>> = {
  module: 'at module scope',
  init: '`on_init`',
  request: 'handlers and middleware',
  shutdown: '`on_shutdown`',
  before_hook: 'before-hooks',
  after_hook: 'after-hooks',
  read_hook: 'read hooks',
  message: 'queue handlers',
  stage: 'stages of the gateway',
  test: 'tests',
}

/** Makes the reference page of one Lua module, in Markdown. */
export function modulePage(capability: Capability): string {
  const constants = (capability.constants ?? []).map(
    ({ name, luaType, doc }) => `\n## ${capability.name}.${name}\n\n${doc} Its type is \`${luaType}\`.`,
  )
  const functions = visibleFunctions(capability)
  const parts = [
    pageHead(capability.name, 'src/capabilities', capability.doc),
    contents(capability.name, functions),
    ...functions.map((fn) => functionChapter(capability.name, fn)),
    ...constants,
    ...(capability.classes === undefined ? [] : ['\n# Shapes', ...capability.classes.map(shapeChapter)]),
  ]
  return `${parts.join('\n')}\n`
}

/** First lines of a page. */
export function pageHead(title: string, source: string, doc: string): string {
  return `<!-- ${generatedFrom(source)} -->\n# ${title}\n\n${doc}`
}

function contents(owner: string, functions: readonly LuaFunctionDoc[]): string {
  const rows = functions.map((fn) => {
    const anchor = `${owner}${fn.name}`.replaceAll('.', '').toLowerCase()
    return `| [\`${callOf(owner, fn)}\`](#${anchor}) | ${cell(firstSentence(fn.doc))} |`
  })
  return ['', '| function | in short |', '|---|---|', ...rows].join('\n')
}

/** Writes the chapter of one function. */
export function functionChapter(owner: string, fn: LuaFunctionDoc): string {
  const name = owner === '' ? fn.name : `${owner}.${fn.name}`
  const lines = [`\n## ${name}`, '', '```lua', callOf(owner, fn), '```', '', fn.doc]
  if (fn.params.length > 0) lines.push('', '| argument | type | |', '|---|---|---|')
  for (const param of fn.params) {
    const mark = param.rest === true ? ', any number' : param.optional === true ? ', optional' : ''
    lines.push(`| \`${param.name}\`${mark} | \`${cell(typeOf(param))}\` | ${cell(param.doc)} |`)
  }
  if (fn.returns.length > 0) lines.push('', '| returns | |', '|---|---|')
  for (const { luaType, doc } of fn.returns) lines.push(`| \`${cell(luaType)}\` | ${cell(doc)} |`)
  lines.push('', places(fn))
  if (fn.permission !== undefined) lines.push('', `Needs the permission \`${fn.permission}\`.`)
  if (fn.example !== undefined) lines.push('', '```lua', fn.example, '```')
  return lines.join('\n')
}

function places(fn: LuaFunctionDoc): string {
  if (phases.every((phase) => fn.phases.includes(phase))) return 'May be called everywhere.'
  const names = phases.flatMap((phase) =>
    phase === 'manifest' || !fn.phases.includes(phase) ? [] : [phasePlaces[phase]],
  )
  return `May be called ${names[0]?.startsWith('at ') ? '' : 'in '}${names.join(', ')}.`
}

/** Writes the chapter of one class of tables. */
export function shapeChapter({ name, doc, alias, fields }: ClassDoc): string {
  const lines = [`\n## ${name}`, '', doc]
  if (alias !== undefined) lines.push('', `Type: \`${alias}\`.`)
  if (fields.length > 0) lines.push('', '| field | type | |', '|---|---|---|')
  for (const field of fields) {
    lines.push(`| \`${field.name}\` | \`${cell(field.luaType)}\` | ${cell(field.doc)} |`)
  }
  return lines.join('\n')
}

function firstSentence(text: string): string {
  const [paragraph = ''] = text.split('\n\n')
  const flat = paragraph.replaceAll('\n', ' ')
  return /^.*?[.](?=\s|$)/.exec(flat)?.[0] ?? flat
}

/** Escapes what would end a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}
