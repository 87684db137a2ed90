import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { createLogger, flushLogger, type LoggerOptions } from '../../../src/telemetry/logger.js'

/** A logger together with the lines that it wrote. */
function collect(options: Partial<LoggerOptions> = {}): {
  logger: ReturnType<typeof createLogger>
  lines: string[]
} {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { logger: createLogger({ level: 'info', format: 'json', destination, ...options }), lines }
}

test('a line is one JSON object with level, time, fields and message', () => {
  const { logger, lines } = collect()
  logger.warn({ plugin: 'task_tracker', request_id: 'r1' }, 'slow')
  assert.equal(lines.length, 1)
  const { time, ...rest } = JSON.parse(lines[0] ?? '')
  assert.deepEqual(rest, { level: 'warn', plugin: 'task_tracker', request_id: 'r1', msg: 'slow' })
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('lines below the level are not written, and silent writes none', () => {
  const warn = collect({ level: 'warn' })
  warn.logger.info('no')
  warn.logger.error('yes')
  assert.equal(warn.lines.length, 1)
  const silent = collect({ level: 'silent' })
  silent.logger.fatal('no')
  assert.deepEqual(silent.lines, [])
})

test('credentials in headers are not written, the other headers are', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { logger, lines } = collect({ format })
    const headers = {
      authorization: 'geheim',
      cookie: 'geheim',
      'x-api-key': 'geheim',
      'set-cookie': ['geheim'],
      host: 'seen',
    }
    logger.info({ req: { headers }, res: { headers }, headers }, 'request')
    const text = lines.join('')
    assert.doesNotMatch(text, /geheim/)
    assert.equal(text.match(/seen/g)?.length, 3)
    assert.equal(text.match(/\[redacted\]/g)?.length, 12)
  }
})

test('a pretty line has time, level, plugin, message and fields', () => {
  const { logger, lines } = collect({ format: 'pretty' })
  logger.child({ request_id: 'r1' }).info({ plugin: 'notes', count: 3, list: ['a'] }, 'saved')
  assert.match(
    lines.join(''),
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}\[notes\] saved request_id=r1 count=3 list=\["a"\]\n$/,
  )
})

test('a pretty line shows the stack of an error below it', () => {
  const { logger, lines } = collect({ format: 'pretty' })
  logger.error({ err: new TypeError('broken') }, 'failed')
  const [head, first, second] = lines.join('').split('\n')
  assert.match(head ?? '', /ERROR failed$/)
  assert.equal(first, '    TypeError: broken')
  assert.match(second ?? '', /^ {4}at /)
})

test('no value forges a second line or steers the terminal', () => {
  const hostile = 'a\n00:00 INFO forged\r\u001b[2J\u009b31m\u2028\u202e'
  for (const format of ['json', 'pretty'] as const) {
    const { logger, lines } = collect({ format })
    logger.info({ plugin: hostile, [hostile]: hostile }, hostile)
    const text = lines.join('')
    assert.equal(text.indexOf('\n'), text.length - 1)
    assert.ok(!text.includes('\u001b') && !text.includes('\r'))
    if (format === 'pretty') assert.doesNotMatch(text.trimEnd(), /[\p{Cc}\u2028\u202e]/u)
  }
})

test('without a destination lines go to standard error only, also those before an exit', () => {
  const logger = new URL('../../../src/telemetry/logger.js', import.meta.url).href
  for (const format of ['json', 'pretty']) {
    // The thread pool is busy, so that no line can be written before somebody waits for it.
    const script = `
      import { pbkdf2 } from 'node:crypto'
      import { createLogger, flushLogger } from ${JSON.stringify(logger)}
      const logger = createLogger({ level: 'info', format: ${JSON.stringify(format)} })
      for (let i = 0; i < 4; i += 1) pbkdf2('a', 'b', 100_000, 64, 'sha512', () => undefined)
      logger.info('first')
      await flushLogger(logger)
      logger.info('begun')
      for (let i = 0; i < 1000; i += 1) logger.info('more ' + i + '.')
      logger.info('last')
      process.exit(3)`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(status, 3, stderr)
    assert.equal(stdout, '')
    const lines = stderr.trimEnd().split('\n')
    assert.equal(lines.length, 1003)
    assert.match(lines[0] ?? '', /first/)
    // The line that is being written at the exit stands anywhere among those that wait for it.
    const waited = lines.filter((line) => !line.includes('begun'))
    assert.equal(waited.length, 1002)
    assert.match(waited.at(-1) ?? '', /last/)
    for (const [i, line] of waited.slice(1, -1).entries()) assert.ok(line.includes(`more ${i}.`), line)
  }
})

test('a flush does not wait for ever for a reader that takes nothing', async () => {
  const logger = new URL('../../../src/telemetry/logger.js', import.meta.url).href
  const script = `
    import { createLogger, flushLogger } from ${JSON.stringify(logger)}
    const logger = createLogger({ level: 'info', format: 'json' })
    logger.info('x'.repeat(4_000_000))
    await flushLogger(logger)
    process.stdout.write('flushed')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  try {
    const [text] = await once(child.stdout, 'data')
    assert.equal(String(text), 'flushed')
  } finally {
    child.kill('SIGKILL')
  }
})

test('flushing a logger with a destination of its own ends', async () => {
  await flushLogger(collect().logger)
  await flushLogger(collect({ format: 'pretty' }).logger)
})
