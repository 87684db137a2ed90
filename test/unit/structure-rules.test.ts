import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listMentions, scanSource } from '../helpers/source-text.js'
import { makeSourceTree } from '../helpers/source-tree.js'
import * as rules from '../helpers/structure-rules.js'

/** Applies a rule to files that are given as texts by path. */
function offenders(rule: rules.StructureRule, files: Readonly<Record<string, string>>): readonly string[] {
  return rule(makeSourceTree(new Map(Object.entries(files))))
}

function mentionsOf(text: string): readonly string[] {
  return listMentions(scanSource(text)).map(({ kind, specifier }) => `${kind} ${specifier}`)
}

test('every form of import is found', () => {
  const text = [
    "import './a.js'",
    "import b from './b.js'",
    "import * as c from './c.js'",
    "import d, { e } from './d.js'",
    'import {\n  f,\n  type g,\n} from "./f.js"',
    "import type { h } from './h.js'",
    "import { type i, type j } from './i.js'",
    "export { k } from './k.js'",
    "export * from './l.js'",
    "export type { m } from './m.js'",
    "const n = await import('./n.js')",
    "type O = import('./o.js').O",
    "const p = new URL('./p.js', import.meta.url)",
  ].join('\n')
  assert.deepEqual([...mentionsOf(text)].sort(), [
    'export ./k.js',
    'export ./l.js',
    'type ./h.js',
    'type ./i.js',
    'type ./m.js',
    'url ./p.js',
    'value ./a.js',
    'value ./b.js',
    'value ./c.js',
    'value ./d.js',
    'value ./f.js',
    'value ./n.js',
    'value ./o.js',
  ])
})

test('comments, texts, templates and patterns are not code', () => {
  const text = [
    "// import a from './a.js'",
    "/* import b from './b.js'\nimport c from './c.js' */",
    ["const d = `\nimport e from './e.js'\n$", '{nested(`$', "{1}` + '}')}\nimport f from './f.js'\n`"].join(
      '',
    ),
    'const g = "import(\'./g.js\')"',
    "const h = /['\"`/]/.test(x) ? a / b / c : '//'",
    "const i = it\\'s",
    "import last from './last.js'",
  ]
  text.splice(5, 1)
  assert.deepEqual(mentionsOf(text.join('\n')), ['value ./last.js'])
})

test('a neighbour, a higher level and an unknown folder are refused, a lower level is not', () => {
  const files = {
    'src/base/a.ts': "import type { K } from '../kv/k.js'",
    'src/kv/k.ts': "import { a } from '../base/a.js'\nimport { i } from '../identity/i.js'",
    'src/identity/i.ts': '',
    'src/odd/o.ts': "import { a } from '../base/a.js'",
    'src/host.ts': "import { k } from './kv/k.js'",
    'src/main.ts': "import { h } from './host.js'",
    'src/admin/x.ts': "import { h } from '../host.js'",
    'cli/main.ts': "import { k } from '../src/kv/k.js'\nimport { h } from '../src/host.js'",
    'sdk/client/index.ts': "import { a } from '../../src/base/a.js'",
  }
  assert.deepEqual(
    offenders(rules.followsLevels, files).map((line) => line.split(':')[0]),
    [
      'src/base/a.ts imports src/kv/k.ts',
      'src/kv/k.ts imports src/identity/i.ts',
      'src/odd/o.ts imports src/base/a.ts',
      'src/admin/x.ts imports src/host.ts',
      'cli/main.ts imports src/kv/k.ts',
      'sdk/client/index.ts imports src/base/a.ts',
    ],
  )
})

test('a cycle is shown with its whole way, also one of types', () => {
  const files = {
    'src/base/a.ts': "import { b } from './b.js'",
    'src/base/b.ts': "import type { C } from './c.js'",
    'src/base/c.ts': "import { b } from './b.js'",
  }
  assert.deepEqual(offenders(rules.hasNoCycle, files), ['src/base/b.ts -> src/base/c.ts -> src/base/b.ts'])
})

test('a package that belongs to a folder is refused elsewhere, but for its types', () => {
  const files = {
    'src/sandbox/a.ts': "import { LuaWasm } from 'wasmoon'",
    'src/plugins/b.ts': "import { LuaWasm } from 'wasmoon'\nimport type { Database } from 'better-sqlite3'",
  }
  assert.deepEqual(offenders(rules.hidesPackages, files), [
    'src/plugins/b.ts imports wasmoon, which belongs to src/sandbox/',
  ])
})

test('only the root and the command line may read the configuration', () => {
  const text = "import type { Config } from '../src/config/schema.js'"
  const files = {
    'src/config/schema.ts': '',
    'src/host.ts': "import { loadConfig } from './config/schema.js'",
    'cli/main.ts': text,
    'src/plugins/a.ts': "import type { Config } from '../config/schema.js'",
  }
  assert.deepEqual(offenders(rules.keepsConfigAtTheRoot, files), [
    'src/plugins/a.ts imports src/config/schema.ts',
  ])
})

test('a file may have 400 lines and not 401', () => {
  const files = { 'src/base/a.ts': 'a\n'.repeat(400), 'src/base/b.ts': 'a\n'.repeat(401) }
  assert.deepEqual(offenders(rules.staysShort, files), ['src/base/b.ts has 401 lines; the limit is 400'])
})

test('what must not stand in code is found with its line, and not in texts', () => {
  const text = "const a = 'export default; process.exit()' // process.exit()\n"
  const cases: readonly (readonly [rules.StructureRule, string, string])[] = [
    [rules.exportsByName, 'export default a', 'export default'],
    [rules.leavesNoMarks, `// ${'TO'}${'DO'} later`, `${'TO'}${'DO'}`],
    [rules.neverExits, 'process.exit(1)', 'process.exit'],
    [rules.holdsNoState, 'let count = 0', 'let count'],
    [rules.holdsNoState, 'export const cache = new Map()', 'export const cache = new Map'],
  ]
  for (const [rule, line, found] of cases) {
    assert.deepEqual(offenders(rule, { 'src/base/a.ts': text }), [])
    assert.deepEqual(offenders(rule, { 'src/base/a.ts': `${text}${line}\n` }), [
      `src/base/a.ts:2 has "${found}"`,
    ])
  }
})

test('state inside functions and read-only collections are no module state', () => {
  const text = 'const a: ReadonlySet<string> = new Set()\nfunction f() {\n  let b = new Map()\n}'
  assert.deepEqual(offenders(rules.holdsNoState, { 'src/base/a.ts': text }), [])
})

test('main.ts and the command line may end the process', () => {
  const files = { 'src/main.ts': 'process.exit(1)', 'cli/main.ts': 'process.exit(1)' }
  assert.deepEqual(offenders(rules.neverExits, files), [])
})

test('names that say nothing are refused', () => {
  const files = {
    'src/base/utils.ts': '',
    'src/util/a.ts': '',
    'src/base/text-utils.ts': '',
    'src/base/aB.ts': '',
    'src/base/utility-rate.ts': '',
  }
  assert.equal(offenders(rules.namesFiles, files).length, 4)
})

test('a file that only passes on others is a barrel, one that adds something is not', () => {
  const files = {
    'src/base/a.ts': "export { b } from './b.js'\nexport type { c } from './b.js'",
    'src/base/b.ts': "export { c } from './c.js'\nexport const b = 1",
    'src/base/c.ts': "export * from './b.js'\nexport const c = 1",
  }
  assert.deepEqual(
    offenders(rules.hasNoBarrel, files).map((line) => line.split(' ')[0]),
    ['src/base/a.ts', 'src/base/c.ts'],
  )
})

test('a file that nothing reaches is dead, one that a thread starts is not', () => {
  const files = {
    'src/host.ts': "const entry = new URL('./sandbox/worker.js', import.meta.url)",
    'src/sandbox/worker.ts': "import { a } from './a.js'",
    'src/sandbox/a.ts': '',
    'src/sandbox/dead.ts': "import { a } from './a.js'",
    'test/unit/a.test.ts': "import { b } from '../../src/base/b.js'",
    'src/base/b.ts': '',
  }
  assert.deepEqual(offenders(rules.isReachable, files), [
    'src/sandbox/dead.ts is imported by nothing that runs',
  ])
})

test('a package has to be a dependency of ours, by its own name', () => {
  const text =
    "import a from 'left'\nimport b from '@scope/right/deep'\nimport fs from 'node:fs'\nimport type T from 'types'"
  assert.deepEqual(offenders(rules.declaresPackages(['left']), { 'src/base/a.ts': text }), [
    'src/base/a.ts imports @scope/right/deep, which package.json does not list',
  ])
})

test('a dependency that nothing imports is found, one whose types or parts are imported is not', () => {
  const text = "import type A from 'left'\nimport b from '@scope/right/deep'"
  const found = offenders(rules.usesPackages(['left', '@scope/right', '@scope', 'gone']), {
    'src/base/a.ts': text,
  })
  assert.deepEqual(found, [
    'package.json lists @scope, which nothing imports',
    'package.json lists gone, which nothing imports',
  ])
})
