import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readSourceTree } from '../helpers/source-tree.js'
import {
  declaresPackages,
  exportsByName,
  followsLevels,
  hasNoBarrel,
  hasNoCycle,
  hidesPackages,
  holdsNoState,
  isReachable,
  keepsConfigAtTheRoot,
  leavesNoMarks,
  namesFiles,
  neverExits,
  type StructureRule,
  staysShort,
  usesPackages,
} from '../helpers/structure-rules.js'

// This file runs as dist/test/unit/structure.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const tree = readSourceTree(root, ['src', 'cli', 'sdk/client', 'scripts', 'test'])
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const rules: Readonly<Record<string, StructureRule>> = {
  'a folder imports only folders of a lower level': followsLevels,
  'no file imports itself in a circle, types included': hasNoCycle,
  'packages that belong to a folder stay in it': hidesPackages,
  'only the composition root and cli/ read the configuration': keepsConfigAtTheRoot,
  'no file is longer than 400 lines': staysShort,
  'every export has a name': exportsByName,
  'no work is left as a mark in the code': leavesNoMarks,
  'files are named for what they hold': namesFiles,
  'only src/main.ts and cli/ end the process': neverExits,
  'no module holds state': holdsNoState,
  'no file only passes on others': hasNoBarrel,
  'every file is used by something that runs': isReachable,
  'every dependency is imported': usesPackages(Object.keys(manifest.dependencies)),
  'every imported package is a dependency': declaresPackages(Object.keys(manifest.dependencies)),
}

test('the sources are found', () => {
  assert.ok(tree.has('src/base/errors.ts'), 'src/base/errors.ts is not in the tree')
  assert.ok(tree.has('test/unit/structure.test.ts'), 'this test is not in the tree')
})

for (const [name, rule] of Object.entries(rules)) {
  test(name, () => {
    const offenders = rule(tree)
    if (offenders.length > 0)
      assert.fail(`${offenders.length} against "${name}":\n  ${offenders.join('\n  ')}`)
  })
}
