import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call } from '../../../src/capabilities/define.js'
import { createLogCapability } from '../../../src/capabilities/log.js'
import type { PluginLogLine } from '../../../src/capabilities/services.js'
import { LuaRaise, type LuaValue } from '../../../src/sandbox/lua-value.js'
import type { Phase } from '../../../src/sandbox/phase.js'
import { SecretGuard } from '../../../src/sandbox/secret-guard.js'

function createLog() {
  const lines: PluginLogLine[] = []
  const clock = { nowMs: 0 }
  const capability = createLogCapability(() => clock.nowMs)
  const write = (
    message: LuaValue,
    context?: LuaValue,
    options: { level?: string; phase?: Phase; plugin?: string } = {},
  ) => {
    const call = {
      owner: { plugin: options.plugin ?? 'p', version: '1', generation: 1 },
      phase: options.phase ?? 'request',
      requestId: 'r1',
      secrets: new SecretGuard({ api_key: 'hunter2hunter2' }),
      services: { writeLog: (line: PluginLogLine) => lines.push(line) },
    } as unknown as Call
    const definition = capability.functions.find(({ name }) => name === (options.level ?? 'info'))
    assert.ok(definition)
    return definition.handler(call, message, context)
  }
  return { lines, clock, write }
}

const fieldsOf = (line: PluginLogLine | undefined) => ({ ...line?.fields })

describe('log', () => {
  it('writes lines with level, plugin and request id', () => {
    const { lines, write } = createLog()
    for (const level of ['debug', 'info', 'warn', 'error']) write('m', undefined, { level })
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['debug', 'info', 'warn', 'error'],
    )
    assert.deepEqual(
      { ...lines[0], fields: fieldsOf(lines[0]) },
      {
        plugin: 'p',
        level: 'debug',
        message: 'm',
        fields: {},
        requestId: 'r1',
      },
    )
  })

  it('works in every phase but writes nothing while the manifest is read', () => {
    const { lines, write } = createLog()
    write('quiet', undefined, { phase: 'manifest' })
    assert.equal(lines.length, 0)
    for (const phase of ['module', 'init', 'request', 'shutdown'] as const) write(phase, undefined, { phase })
    assert.equal(lines.length, 4)
  })

  it('takes numbers and bytes as message and raises for anything else', () => {
    const { lines, write } = createLog()
    write(1.5)
    write(2n ** 60n)
    write(Buffer.from([0x61, 0xff]))
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['1.5', '1152921504606846976', 'a\ufffd'],
    )
    for (const message of [undefined, null, true, {}, []]) assert.throws(() => write(message), LuaRaise)
    assert.equal(lines.length, 3)
  })

  it('flattens the context to texts', () => {
    const { lines, write } = createLog()
    const context = Object.assign(Object.create(null), {
      text: 'a\nb',
      count: 3,
      ratio: 0.25,
      yes: true,
      nothing: null,
      list: [1, 'two'],
      nested: { a: { b: 1 } },
    })
    Object.defineProperty(context, '__proto__', { value: 'key', enumerable: true })
    write('m', context)
    assert.deepEqual(Object.entries(lines[0]?.fields ?? {}), [
      ['text', 'a\nb'],
      ['count', '3'],
      ['ratio', '0.25'],
      ['yes', 'true'],
      ['nothing', 'null'],
      ['list', '[1,"two"]'],
      ['nested', '{"a":{"b":1}}'],
      ['__proto__', 'key'],
    ])
    write('m', 'not a table')
    assert.deepEqual(fieldsOf(lines[1]), {})
    write('m', ['first', 'second'])
    assert.deepEqual(fieldsOf(lines[2]), { '1': 'first', '2': 'second' })
  })

  it('cuts long messages at a character and says so', () => {
    const { lines, write } = createLog()
    write('m'.repeat(8192))
    write('é'.repeat(4097))
    assert.equal(lines[0]?.message, 'm'.repeat(8192))
    assert.equal(lines[1]?.message, `${'é'.repeat(4096)}… (cut)`)
    write(`x${'é'.repeat(5000)}`)
    assert.equal(lines[2]?.message, `x${'é'.repeat(4095)}… (cut)`)
  })

  it('bounds the context: keys, names and values, also of huge and deep tables', () => {
    const { lines, write } = createLog()
    const many: Record<string, LuaValue> = {}
    for (let index = 0; index < 40; index += 1) many[`k${index}`] = index
    write('m', many)
    assert.equal(Object.keys(lines[0]?.fields ?? {}).length, 33)
    assert.equal(lines[0]?.fields['...'], '8 more')

    let deep: LuaValue = []
    for (let depth = 0; depth < 60; depth += 1) deep = [deep]
    write('m', { ['n'.repeat(100)]: 'v'.repeat(2000), list: new Array(200_000).fill('x'), deep })
    const fields = lines[1]?.fields ?? {}
    assert.equal(fields['n'.repeat(64)], `${'v'.repeat(1024)}… (cut)`)
    assert.ok((fields.list?.length ?? 0) < 1100)
    assert.equal(fields.deep, '[[[[[[[…]]]]]]]')
  })

  it('drops what a plugin writes beyond 200 lines a second, and counts it', () => {
    const { lines, clock, write } = createLog()
    for (let index = 0; index < 500; index += 1) write('flood')
    assert.equal(lines.length, 201)
    assert.match(lines[200]?.message ?? '', /log lines are being dropped: more than 200 in a second/)
    assert.equal(lines[200]?.level, 'warn')
    write('neighbour', undefined, { plugin: 'q' })
    assert.equal(lines.length, 202)
    clock.nowMs = 1000
    write('after')
    assert.deepEqual(
      lines.slice(202).map(({ message }) => message),
      ['300 log lines were dropped', 'after'],
    )
    clock.nowMs = 2000
    write('later')
    assert.equal(lines.length, 205)
  })
})
