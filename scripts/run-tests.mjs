// Runs the compiled tests: with no argument all but the bench and those that take minutes, with `--long` just these,
// else those below the paths given, e.g. `attack` or `unit/config`.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const compiledRoot = join(root, 'dist', 'test')
/** Node 20 counts this per file; the attack corpus needs most of it. */
const fileTimeoutMs = 300_000

/** Suites that take minutes: the attack corpus, and processes that are killed again and again. */
const longSuites = ['attack', 'e2e/hook-delivery', 'e2e/kv-crash']

if (!existsSync(compiledRoot)) fail('dist/test does not exist; run "npm run build" first.')

/** Compiled tests by their path below dist/test, with forward slashes. */
const compiled = readdirSync(compiledRoot, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.js'))
  .map((path) => path.split(sep).join('/'))
  .sort()

const current = compiled.filter((path) => existsSync(join(root, 'test', path.replace(/\.js$/, '.ts'))))
// The compiler leaves the output of deleted sources behind; such a test would go on running for ever.
for (const path of compiled.filter((path) => !current.includes(path))) removeCompiled(path)

const wanted = process.argv.slice(2).flatMap((argument) => (argument === '--long' ? longSuites : [argument]))
const chosen = current.filter((path) => (wanted.length === 0 ? isQuick(path) : isBelow(wanted, path)))
/** Attacks are timed: with more at once than there are cores they would wait for each other. */
const concurrency = wanted.length === 0 ? 3 : 2
if (chosen.length === 0) fail(`No test below dist/test matches ${wanted.join(' ') || 'anything'}.`)

const files = chosen.map((path) => relative(root, join(compiledRoot, path)))
const options = [
  '--test',
  `--test-concurrency=${concurrency}`,
  `--test-timeout=${fileTimeoutMs}`,
  '--test-reporter=spec',
  '--enable-source-maps',
]
const runner = spawn(process.execPath, [...options, ...files], { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal))
runner.on('exit', (code) => {
  process.exitCode = code ?? 1
})

function isQuick(path) {
  return !isBelow(['bench', ...longSuites], path)
}

function isBelow(prefixes, path) {
  return prefixes.some((prefix) => `${path.replace(/\.test\.js$/, '')}/`.startsWith(`${normalise(prefix)}/`))
}

/** Takes a path below test/, a source or a compiled file alike. */
function normalise(path) {
  return path.replace(/^(?:\.\/)?(?:dist\/)?(?:test\/)?/, '').replace(/(?:\.test\.[jt]s|\/)$/, '')
}

function removeCompiled(path) {
  const stem = join(compiledRoot, path.replace(/\.js$/, ''))
  for (const ending of ['.js', '.js.map', '.d.ts']) rmSync(stem + ending, { force: true })
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
