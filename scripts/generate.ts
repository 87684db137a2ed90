// Writes every generated file, or with --check only tells which of them are out of date (exit code 1).
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { artefacts } from './artefacts.js'

// This file runs as dist/scripts/generate.js.
const root = fileURLToPath(new URL('../../', import.meta.url))
const checkOnly = process.argv.includes('--check')

const stale: string[] = []
for (const artefact of artefacts) {
  const path = join(root, artefact.path)
  const content = await artefact.content()
  const current = await readFile(path, 'utf8').catch(() => undefined)
  if (current === content) continue
  stale.push(artefact.path)
  if (checkOnly) continue
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

for (const path of stale) console.log(checkOnly ? `out of date: ${path}` : `wrote ${path}`)
if (stale.length === 0) console.log(`all ${artefacts.length} generated files are up to date`)
if (checkOnly && stale.length > 0) process.exitCode = 1
