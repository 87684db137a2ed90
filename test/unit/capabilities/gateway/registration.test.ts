import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stageLimits } from '../../../../src/base/limits/gateway.js'
import type { Call } from '../../../../src/capabilities/define.js'
import { gatewayCapability } from '../../../../src/capabilities/gateway/capability.js'
import { checkRequestHeader, checkTarget } from '../../../../src/capabilities/gateway/change-rules.js'
import { declaredStages } from '../../../../src/plugins/stages/declared-stages.js'
import type { Registration } from '../../../../src/sandbox/host-function.js'
import { FunctionRef, type LuaObject, LuaRaise, type LuaValue } from '../../../../src/sandbox/lua-value.js'

/** The part of a call that registrations use. */
function fakeCall() {
  const registrations: Registration[] = []
  const register = (registration: Registration): void => void registrations.push(registration)
  return { call: { registrations, register } as unknown as Call, registrations }
}

function invoke(call: Call, name: string, ...args: LuaValue[]): void {
  const found = gatewayCapability.functions.find((candidate) => candidate.name === name)
  assert.ok(found)
  found.handler(call, ...args)
}

const handler = new FunctionRef(7)

function table(members: Readonly<Record<string, LuaValue>>): LuaObject {
  return Object.assign(Object.create(null) as LuaObject, members)
}

describe('gateway.on_request', () => {
  it('fills in what options do not say', () => {
    const { call, registrations } = fakeCall()
    invoke(call, 'on_request', handler, undefined)
    invoke(call, 'on_response', handler, undefined)
    const common = { paths: ['/**'], methods: [], priority: 50 }
    assert.deepEqual(registrations, [
      { kind: 'stage', key: 'request-1', data: { event: 'on_request', ...common, fail: 'closed' } },
      { kind: 'stage', key: 'response-2', data: { event: 'on_response', ...common, fail: 'open' } },
    ])
  })

  it('refuses every option that means nothing, so that no guard is weaker than it looks', () => {
    const refused: readonly (readonly [Readonly<Record<string, LuaValue>>, RegExp])[] = [
      [{ fails: 'closed' }, /unknown option/],
      [{ fail: 'colsed' }, /fail must be/],
      [{ priority: 0 }, /priority must be/],
      [{ priority: 1.5 }, /priority must be/],
      [{ timeout_ms: stageLimits.timeoutMsMax + 1 }, /timeout_ms must be/],
      [{ methods: ['get'] }, /invalid method/],
      [{ methods: [] }, /at least one/],
      [{ paths: 'x' }, /must be a list/],
      [{ paths: ['x'] }, /must start with/],
      [{ paths: ['/(a+)+$'] }, /regular expressions/],
      [{ paths: ['/a.*'] }, /regular expressions/],
      [{ paths: ['/a,/b'] }, /must not have/],
      [{ paths: ['/a\nb'] }, /must not have/],
      [{ paths: ['/a**'] }, /part of the segment/],
      [{ paths: Array.from({ length: 9 }, (_, at) => `/${at}`) }, /the limit is 8/],
      [{ paths: Array.from({ length: 8 }, (_, at) => `/${at}${'x'.repeat(60)}`) }, /the limit is 300/],
      [{ name: 'A b' }, /invalid name/],
    ]
    for (const [options, reason] of refused) {
      const { call, registrations } = fakeCall()
      assert.throws(
        () => invoke(call, 'on_request', handler, table(options)),
        (error) => error instanceof LuaRaise && reason.test(error.message),
        JSON.stringify(options),
      )
      assert.deepEqual(registrations, [])
    }
  })

  it('takes so many stages and no more, and no name twice', () => {
    const { call } = fakeCall()
    invoke(call, 'on_request', handler, table({ name: 'a' }))
    assert.throws(() => invoke(call, 'on_response', handler, table({ name: 'a' })), /is taken/)
    invoke(call, 'key_by', 'a', handler)
    assert.throws(() => invoke(call, 'key_by', 'a', handler), /is taken/)
    for (let at = 2; at < stageLimits.registrationsMax; at += 1)
      invoke(call, 'on_request', handler, undefined)
    assert.throws(() => invoke(call, 'on_request', handler, undefined), /maximum stage limit/)
    assert.throws(() => invoke(call, 'key_by', 'b', handler), /maximum stage limit/)
  })
})

it('what is approved is the methods and paths, whatever their order, and each key once', () => {
  const { call, registrations } = fakeCall()
  invoke(call, 'on_request', handler, table({ name: 'a', methods: ['POST', 'GET'], paths: ['/api/**'] }))
  invoke(
    call,
    'on_request',
    handler,
    table({ name: 'b', methods: ['GET', 'POST'], paths: ['/api/**'], priority: 3 }),
  )
  invoke(call, 'on_response', handler, undefined)
  invoke(call, 'key_by', 'tenant', handler)
  const declared = declaredStages(registrations)
  assert.deepEqual(
    declared.map(({ key }) => key),
    ['on_request GET,POST /api/**', 'on_response * /**', 'key_by tenant'],
  )
  assert.match(
    declared[0]?.description ?? '',
    /a at priority 50, fails closed; b at priority 3, fails closed/,
  )
})

describe('what stages may change of a request', () => {
  it('is no header that says who sends, or that belongs to the connection, in any spelling', () => {
    const held = [
      'Host',
      'CONTENT_LENGTH',
      'transfer-encoding ',
      'X-Forwarded-Proto',
      'x_identity',
      'Cookie',
      'te',
    ]
    for (const name of [...held, 'Authorization', 'proxy-x', 'Sec-Fetch-Site', 'Origin', 'x-request-id']) {
      assert.match(checkRequestHeader(name, 'x') ?? '', /cannot change/, name)
      assert.match(checkRequestHeader(name, undefined) ?? '', /cannot change/, name)
    }
    assert.equal(checkRequestHeader('X-Own', 'caf\xe9'), undefined)
  })

  it('is a path of this host, which can be read in one way only', () => {
    for (const path of [
      '',
      'x',
      '//h/x',
      '/\\h',
      'http://h/',
      '/a b',
      '/a#b',
      '/é',
      '/a/../b',
      '/%2e%2e/b',
      '/%zz',
      '*',
    ]) {
      assert.match(checkTarget(path) ?? '', /invalid path/, path)
    }
    for (const path of ['/', '/a?b=//c', '/a%20b/%C3%A9', '/a//b?x#y'.slice(0, 8)]) {
      assert.equal(checkTarget(path), undefined, path)
    }
  })
})
