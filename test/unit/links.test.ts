import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../helpers/server-process.js'

const folders = ['docs', 'src', 'cli', 'sdk', 'plugins', 'test']

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pagesBelow(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

function pages(): readonly string[] {
  const top = readdirSync(projectRoot).filter((name) => name.endsWith('.md'))
  return [
    ...top.map((name) => join(projectRoot, name)),
    ...folders.flatMap((folder) => pagesBelow(join(projectRoot, folder))),
  ]
}

/** Targets of Markdown links to other files of the project. */
function targetsOf(page: string): readonly string[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^```.*?^```/gms, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.split('#', 1)[0] ?? '')
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
}

test('each link in the documentation leads to a file or folder', () => {
  const found = pages()
  assert.ok(found.length > 20, `${found.length} pages`)
  const dead = found.flatMap((page) =>
    targetsOf(page)
      .filter((target) => !existsSync(join(dirname(page), target)))
      .map((target) => `${relative(projectRoot, page)}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('each promise of the threat model names a test that there is', () => {
  const page = join(projectRoot, 'docs', 'threat-model.md')
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => /^\| [A-Z]\d+ /.test(line))
  assert.ok(rows.length > 20, `${rows.length} promises`)
  for (const row of rows) {
    const tests = [...row.matchAll(/\]\((\.\.\/test\/[^)]+)\)/g)].map(([, target = '']) => target)
    assert.ok(tests.length > 0, row)
    for (const target of tests) assert.ok(statSync(join(dirname(page), target)), target)
  }
})
