import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readSourceTree } from '../helpers/source-tree.js'

// This file runs as dist/test/unit/scenarios.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What a host promises about who may do what has numbers; tests that prove one begin with its number. */
const numbers = Array.from({ length: 21 }, (_, at) => `FL-${String(at + 1).padStart(2, '0')}`)

const named = /\b(?:it|test|describe)\(\s*['"`]((?:FL-\d\d(?:, )?)+):/g

test('each scenario of who may do what has a test that is called by its number', () => {
  const found = new Set<string>()
  for (const path of readSourceTree(root, ['test']).keys()) {
    if (!path.endsWith('.test.ts')) continue
    for (const [, ids = ''] of readFileSync(join(root, path), 'utf8').matchAll(named))
      for (const id of ids.split(', ')) found.add(id)
  }
  assert.deepEqual(
    numbers.filter((id) => !found.has(id)),
    [],
  )
})
