import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { artefacts } from '../../scripts/artefacts.js'

// This file runs as dist/test/unit/generated.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url))

for (const artefact of artefacts) {
  test(`${artefact.path} is what the code generates`, async () => {
    const path = join(root, artefact.path)
    const current = await readFile(path, 'utf8').catch(() =>
      assert.fail(`${artefact.path} is missing; run "npm run generate"`),
    )
    const hint = `${artefact.path} is out of date; run "npm run generate" and commit the result`
    assert.equal(current, await artefact.content(), hint)
  })
}

test('no two generated files have the same path', () => {
  assert.equal(new Set(artefacts.map(({ path }) => path)).size, artefacts.length)
})
