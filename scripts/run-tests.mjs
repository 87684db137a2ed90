// Runs the compiled tests: with no argument all but the bench and those that take minutes, with `--long` just these,
// else those below the paths given, e.g. `attack` or `unit/config`. `--timings` tells which took the most processor time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleTests } from './bundle-tests.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const compiledRoot = join(root, 'dist', 'test')
const bundledRoot = join(root, 'dist', 'bundled-tests')
/** From so many tests on, bundling them takes less time than it saves. */
const bundledFrom = 20
/** How many tests `--timings` tells of. */
const timingsShown = 40
/** Node 20 counts this per file; the attack corpus needs most of it. */
const fileTimeoutMs = 300_000
/** With more failures than these something is broken, and a second run would only take time. */
const mostSecondRuns = 4
const signals = ['SIGINT', 'SIGTERM']

/** Folders of small tests: those of each folder share a process, which takes longer to start than most of them to run. */
const groupedBelow = ['unit']
/** Tests that measure their process, or that would keep others waiting. */
const ungrouped = ['unit/gateway/rate-limit', 'unit/sandbox', 'unit/plugins/stages', 'unit/client']
/** Tests that wait for something while they are read: their suite would be over by then. */
const awaitsAtTop = /^(?:(?:const|let) [^=\n]+= )?await /m
/** How many files share a process at most. */
const groupSizeMax = 20

/**
 * Suites that take minutes together: the attack corpus; what is killed, attacked or asked for too much again and again;
 * whole processes; what starts a host for each test; and scenarios whose parts quick tests look at as well.
 */
const longSuites = [
  'api/auth-scenarios',
  'api/auth-status',
  'api/budgets',
  'api/gateway-environment',
  'api/gateway-scenarios',
  'api/gateway-stages',
  'api/gateway-two-processes',
  'api/hostile-hooks',
  'api/hostile-stages',
  'api/hot-reload',
  'api/kv-abuse',
  'api/kv-slow-reader',
  'api/lifecycle',
  'api/lifecycle-races',
  'api/migrations',
  'api/migrations-load',
  'api/oidc-forgeries',
  'api/oidc-sign-in',
  'api/plugin-metrics',
  'api/policies-rules',
  'api/route-requirements',
  'api/start-and-stop',
  'attack',
  'e2e',
]

/** Long suites that are timed: with more at once than there are cores they would wait for each other. */
const timedSuites = [
  'api/budgets',
  'api/migrations-load',
  'attack',
  'e2e/hook-delivery',
  'e2e/hostile-readers',
  'e2e/hostile-writers',
  'e2e/kv-crash',
]

if (!existsSync(compiledRoot)) fail('dist/test does not exist; run "npm run build" first.')

/** Compiled tests by their path below dist/test, with forward slashes. */
const compiled = readdirSync(compiledRoot, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.js'))
  .map((path) => path.split(sep).join('/'))
  .sort()

const current = compiled.filter((path) => existsSync(join(root, 'test', path.replace(/\.js$/, '.ts'))))
// The compiler leaves the output of deleted sources behind; such a test would go on running for ever.
for (const path of compiled.filter((path) => !current.includes(path))) removeCompiled(path)

const showsTimings = process.argv.includes('--timings')
const named = process.argv.slice(2).filter((argument) => argument !== '--timings')
const wanted = named.flatMap((argument) => (argument === '--long' ? longSuites : [argument]))
const chosen = current.filter((path) => (wanted.length === 0 ? isQuick(path) : isBelow(wanted, path)))
/** How many files run at once; some of them wait. */
const concurrency = 3
const timedConcurrency = 2
if (chosen.length === 0) fail(`No test below dist/test matches ${wanted.join(' ') || 'anything'}.`)

const isBundled = chosen.length >= bundledFrom
const failed = isBundled ? await runBundled() : await runInTurn(chosen, compiledRoot)
if (failed.length > 0) process.exitCode = (await passAlone(failed)) ? 0 : 1

/** Runs all that was chosen from bundles. */
async function runBundled() {
  const isGrouped = (path) =>
    isBelow(groupedBelow, path) &&
    !isBelow(ungrouped, path) &&
    !awaitsAtTop.test(readFileSync(join(compiledRoot, path), 'utf8'))
  const alone = chosen.filter((path) => !isGrouped(path))
  const groups = groupsOf(chosen.filter(isGrouped))
  await bundleTests(compiledRoot, alone, groups, bundledRoot)
  return runInTurn([...alone, ...groups.keys()].sort(), bundledRoot)
}

/** Runs what is timed when the rest is over. */
async function runInTurn(paths, testRoot) {
  const failed = []
  for (const isTimed of [false, true]) {
    const part = paths.filter((path) => isBelow(timedSuites, path) === isTimed)
    if (part.length > 0) failed.push(...(await run(part, isTimed ? timedConcurrency : concurrency, testRoot)))
  }
  return failed
}

/** Tests by the file that runs them: those of one folder below a top folder, in groups of limited size. */
function groupsOf(paths) {
  const groups = new Map()
  const counts = new Map()
  for (const path of paths) {
    const folder = path.split('/').slice(0, -1).slice(0, 2).join('/')
    const count = counts.get(folder) ?? 0
    counts.set(folder, count + 1)
    const group = `${folder}/group-${1 + Math.floor(count / groupSizeMax)}.test.js`
    groups.set(group, [...(groups.get(group) ?? []), path])
  }
  return groups
}

/** Runs the tests of these files and gives the files with failures; ends the process when it cannot tell them. */
async function run(paths, atOnce, testRoot = compiledRoot) {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-tests-'))
  const report = join(folder, 'failed')
  const options = [
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${fileTimeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('failed-files.mjs', import.meta.url).href}`,
    `--test-reporter-destination=${report}`,
    // Each thread would read the map of the bundles at its first error: a third of the time that such a run takes.
    ...(testRoot === bundledRoot ? [] : ['--enable-source-maps']),
  ]
  const files = paths.map((path) => relative(root, join(testRoot, path)))
  const times = join(folder, 'times')
  const runner = spawn(process.execPath, [...options, ...files], {
    cwd: root,
    stdio: 'inherit',
    env: showsTimings ? withTimings(times) : process.env,
  })
  const pass = (signal) => runner.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  const [code, signal] = await once(runner, 'exit')
  for (const signal of signals) process.off(signal, pass)
  const failedFiles = readFileSync(report, 'utf8').split('\n').filter(Boolean)
  if (showsTimings) showTimings(times)
  rmSync(folder, { recursive: true })
  if (signal !== null || (code !== 0 && failedFiles.length === 0)) process.exit(code || 1)
  return failedFiles.map(toCompiled)
}

/** The runner names sources where it reads source maps, else what it ran; a suite of a group is named by its file. */
function toCompiled(file) {
  if (chosen.includes(file)) return file
  const full = resolve(root, file)
  const folders = [join(root, 'test'), bundledRoot, compiledRoot]
  const path = relative(folders.find((folder) => full.startsWith(folder + sep)) ?? compiledRoot, full)
  return path.split(sep).join('/').replace(/\.ts$/, '.js')
}

/**
 * Gives a few files with failures a second run, each alone: a test that was only starved by the others is told from
 * one that fails. Whatever failed the first time is named, so that it does not go unseen.
 */
async function passAlone(paths) {
  // A test that several files share has no file of its own to run.
  if (paths.length > mostSecondRuns || !paths.every((path) => chosen.includes(path))) return false
  const failedAgain = []
  for (const path of paths) failedAgain.push(...(await run([path], 1)))
  for (const path of paths)
    console.error(
      failedAgain.includes(path) ? `Failed twice: ${path}` : `Failed beside others, passed alone: ${path}`,
    )
  return failedAgain.length === 0
}

/** Has each test process write down its processor time, see test-times.mjs. */
function withTimings(file) {
  const { NODE_OPTIONS = '' } = process.env
  const preloaded = new URL('test-times.mjs', import.meta.url).href
  return { ...process.env, MODULACMS_TEST_TIMES: file, NODE_OPTIONS: `${NODE_OPTIONS} --import=${preloaded}` }
}

function showTimings(file) {
  const times = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []
  const total = times.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  console.log(
    `Processor time of ${times.length} files: ${seconds(total)} s. The dearest, with their wall time:`,
  )
  const dearest = times.sort((a, b) => b.cpuMs - a.cpuMs).slice(0, timingsShown)
  for (const { test, cpuMs, wallMs } of dearest)
    console.log(`${seconds(cpuMs).padStart(8)} ${seconds(wallMs).padStart(8)}  ${toCompiled(test)}`)
}

function seconds(ms) {
  return (ms / 1000).toFixed(1)
}

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
