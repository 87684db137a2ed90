import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plugin } from '../helpers/create-host.js'
import { pluginFolder } from '../helpers/plugin-tests.js'
import { until } from '../helpers/until.js'

const command = fileURLToPath(new URL('../../bundle/main.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Running {
  readonly err: () => string
  readonly ended: Promise<Ended>
  interrupt(): void
}

function start(
  t: TestContext,
  directory: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, [command, 'plugin', 'test', ...words], {
    cwd: directory,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (data) => {
    out += data
  })
  child.stderr.on('data', (data) => {
    err += data
  })
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })))
  t.after(() => child.kill('SIGKILL'))
  return { err: () => err, ended, interrupt: () => void child.kill('SIGINT') }
}

function run(t: TestContext, directory: string, ...words: readonly string[]): Promise<Ended> {
  return start(t, directory, words).ended
}

const init = plugin('demo', 'function twice(x)\n  return 2 * x\nend')

const passing = 'function test_twice()\n  test.assert_eq(4, twice(2))\nend\n'

const failing = `function test_wrong()
  test.assert_eq(5, twice(2), "<twice> & \\"more\\" \\1")
end
function test_raises()
  twice(nil)
end
`

test('the report names each test, and shows the line that failed', async (t) => {
  const root = await pluginFolder(t, {
    'plugins/demo/init.lua': init,
    'plugins/demo/test/a.test.lua': passing,
    'plugins/demo/test/b.test.lua': failing,
  })
  const { code, out } = await run(t, root, 'demo')
  assert.equal(code, 1)
  const lines = out.replaceAll(/\d+ ms/g, 'N ms').split('\n')
  assert.deepEqual(lines, [
    'demo plugin tests',
    '',
    'test/a.test.lua',
    '  ✓ test_twice (N ms)',
    '',
    'test/b.test.lua',
    '  ✗ test_wrong (N ms)',
    '      FAIL test/b.test.lua:2: <twice> & "more" \\u0001: expected 5, got 4',
    '        1 | function test_wrong()',
    '      > 2 |   test.assert_eq(5, twice(2), "<twice> & \\"more\\" \\1")',
    '        3 | end',
    '  ✗ test_raises (N ms)',
    "      ERROR test/b.test.lua:5: demo/init.lua:3: attempt to perform arithmetic on a nil value (local 'x')",
    '        4 | function test_raises()',
    '      > 5 |   twice(nil)',
    '        6 | end',
    '',
    '1 passed, 2 failed (N ms)',
    '',
  ])
})

test('as JSON it is one object for each test; JUnit and lcov go to files', async (t) => {
  const root = await pluginFolder(t, {
    'demo/init.lua': init,
    'demo/test/a.test.lua': passing,
    'demo/test/b.test.lua': failing,
  })
  const words = ['demo', '--json', '--junit', 'out/junit.xml', '--coverage', 'out/lcov.info']
  const { code, out, err } = await run(t, root, ...words)
  assert.deepEqual([code, err], [1, ''])
  const results = JSON.parse(out) as readonly Record<string, unknown>[]
  const expected = ['file', 'test', 'passed', 'duration_ms', 'assertions', 'failures']
  for (const result of results) assert.deepEqual(Object.keys(result), expected)
  assert.deepEqual(
    results.map(({ file, test: name, passed, assertions, failures }) => [
      file,
      name,
      passed,
      assertions,
      failures,
    ]),
    [
      ['test/a.test.lua', 'test_twice', true, 1, []],
      [
        'test/b.test.lua',
        'test_wrong',
        false,
        1,
        [{ message: '<twice> & "more" \u0001: expected 5, got 4', line: 2 }],
      ],
      [
        'test/b.test.lua',
        'test_raises',
        false,
        0,
        [
          {
            message: "demo/init.lua:3: attempt to perform arithmetic on a nil value (local 'x')",
            line: 5,
            error: true,
          },
        ],
      ],
    ],
  )
  const junit = readFileSync(join(root, 'out/junit.xml'), 'utf8')
  assert.deepEqual(wellFormed(junit), ['testsuites', 'testsuite', 'testcase'])
  assert.match(junit, /<testsuites name="demo" tests="3" failures="1" errors="1" /)
  assert.match(junit, /message="&lt;twice&gt; &amp; &quot;more&quot; \ufffd: expected 5, got 4"/)
  const lcov = readFileSync(join(root, 'out/lcov.info'), 'utf8')
  assert.match(lcov, new RegExp(`^TN:\nSF:${root}/demo/init\\.lua\n`))
  assert.match(lcov, /\nDA:3,[1-9]\d*\nLF:3\nLH:3\nend_of_record\n$/)
})

/** Checks that elements are closed in order and that no character needs an escape; gives their names down to a case. */
function wellFormed(xml: string): readonly string[] {
  const open: string[] = []
  let deepest: readonly string[] = []
  const [, body = ''] = xml.split(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/)
  for (const [, closing, name = '', attributes = '', empty, text = ''] of body.matchAll(
    /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>([^<]*)/g,
  )) {
    assert.doesNotMatch(attributes + text, /&(?!(?:amp|lt|gt|quot|#10);)/)
    if (closing === '/') assert.equal(open.pop(), name)
    else if (empty !== '/') open.push(name)
    if (name === 'testcase' && closing !== '/') deepest = empty === '/' ? [...open, name] : [...open]
  }
  assert.deepEqual(open, [])
  assert.equal(body.replaceAll(/<\/?[a-z-]+(?: [a-z]+="[^"<]*")*\/?>/g, '').includes('<'), false)
  return deepest
}

test('the exit code tells passed, failed, and could not be run', async (t) => {
  const root = await pluginFolder(t, {
    'good/init.lua': init.replace('"demo"', '"good"'),
    'good/test/a.test.lua': 'function test_one() end\nfunction test_two() test.assert(false) end',
    'untested/init.lua': plugin('untested', ''),
  })
  const codes = async (...words: string[]) => (await run(t, root, ...words)).code
  const { code, out } = await run(t, root, 'good', '--filter', 'one', '--coverage')
  assert.equal(code, 0)
  assert.match(
    out,
    /FILE +LINES +COVERED +NOT RUN\ninit\.lua +3 +66\.7% +3\nall files +3 +66\.7%\n$/,
    'the coverage is shown as a table',
  )
  assert.equal(await codes('good'), 1)
  assert.equal(await codes('absent'), 2)
  assert.equal(await codes('good', '--timeout', '0'), 2)
  assert.equal(await codes('good', '--unknown'), 2)
  const untested = await run(t, root, 'untested', '--json')
  assert.deepEqual([untested.code, untested.out], [2, ''])
  assert.equal(JSON.parse(untested.err).error.code, 'PLUGIN_TESTS_IMPOSSIBLE')
})

test('watched, it runs again after a change, survives a broken plugin, and ends when interrupted', async (t) => {
  const root = await pluginFolder(t, { 'demo/init.lua': init, 'demo/test/a.test.lua': passing })
  const running = start(t, root, ['demo', '--watch'])
  const runs = (count: number) =>
    until(`${count} runs`, () => running.err().split('waiting for changes').length > count)
  await runs(1)
  writeFileSync(join(root, 'demo/init.lua'), init.replace('2 * x', '3 * x'))
  await runs(2)
  writeFileSync(join(root, 'demo/init.lua'), 'plugin_info = {')
  await runs(3)
  writeFileSync(join(root, 'demo/init.lua'), init)
  await runs(4)
  running.interrupt()
  const { code, out, err } = await running.ended
  assert.equal(code, 0)
  const summaries = [...out.matchAll(/\d+ passed, \d+ failed/g)].map(([text]) => text)
  assert.deepEqual(summaries, ['1 passed, 0 failed', '0 passed, 1 failed', '1 passed, 0 failed'])
  assert.match(err, /demo\/init\.lua:1/)
})

test('interrupted in the middle of a test it ends at once, and leaves nothing behind', async (t) => {
  const root = await pluginFolder(t, {
    'demo/init.lua': init,
    'demo/test/a.test.lua': passing,
    'demo/test/b.test.lua': 'function test_long() log.warn("long") while true do end end',
    'temporary/keep.txt': '',
  })
  const temporary = join(root, 'temporary')
  const running = start(t, root, ['demo', '--timeout', '60'], { TMPDIR: temporary })
  await until('a host of a test', () => {
    const [folder] = readdirSync(temporary).filter((name) => name.startsWith('modulacms-test-'))
    return (
      folder !== undefined && readdirSync(join(temporary, folder)).some((name) => /^worker-2-/.test(name))
    )
  })
  running.interrupt()
  const { code } = await running.ended
  assert.equal(code, 130)
  assert.deepEqual(readdirSync(temporary), ['keep.txt'])
})
