import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call } from '../../../../src/capabilities/define.js'
import { httpCapability } from '../../../../src/capabilities/http/capability.js'
import type { Registration } from '../../../../src/sandbox/host-function.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../../../src/sandbox/lua-value.js'

/** The part of a call that registrations use. */
function fakeCall(extra: Record<string, number> = {}) {
  const registrations: Registration[] = []
  const handlers: number[] = []
  const call = {
    registrations,
    limits: { extra },
    register(registration: Registration, handler: number): void {
      registrations.push(registration)
      handlers.push(handler)
    },
  } as unknown as Call
  return { call, registrations, handlers }
}

function invoke(call: Call, name: string, ...args: LuaValue[]): unknown {
  const found = httpCapability.functions.find((candidate) => candidate.name === name)
  assert.ok(found)
  return found.handler(call, ...args)
}

function refusal(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    assert.ok(error instanceof LuaRaise)
    return error.message
  }
  throw new assert.AssertionError({ message: 'nothing was raised' })
}

describe('http.handle', () => {
  it('registers a guarded route under its method and path', () => {
    const { call, registrations, handlers } = fakeCall()
    assert.equal(invoke(call, 'handle', 'GET', '/x', new FunctionRef(7)), undefined)
    const data = { method: 'GET', path: '/x', public: false }
    assert.deepEqual(registrations, [{ kind: 'route', key: 'GET /x', data }])
    assert.deepEqual(handlers, [7])
  })

  it('opens a route only for public = true, and ignores any other fourth argument', () => {
    const { call, registrations } = fakeCall()
    const options: LuaValue[] = [
      { public: true },
      { public: 'true' },
      { public: 1 },
      {},
      [],
      'public',
      true,
      null,
    ]
    for (const [index, option] of options.entries()) {
      invoke(call, 'handle', 'GET', `/${index}`, new FunctionRef(1), option)
    }
    assert.deepEqual(
      registrations.map(({ data }) => data.public),
      options.map((_option, index) => index === 0),
    )
  })

  it('checks the method, then the path, then duplicates, then the count', () => {
    const { call, registrations } = fakeCall({ routesMax: 1 })
    invoke(call, 'handle', 'GET', '/x', new FunctionRef(1))
    const attempt = (method: string, path: string) =>
      refusal(() => invoke(call, 'handle', method, path, new FunctionRef(2)))
    assert.match(attempt('get', 'x'), /invalid HTTP method/)
    assert.match(attempt('GET', 'x'), /invalid route path/)
    assert.match(attempt('GET', '/x'), /duplicate route "GET \/x"/)
    assert.match(attempt('GET', '/y'), /maximum route limit/)
    assert.equal(registrations.length, 1)
  })

  it('raises for bytes that are no text', () => {
    const { call } = fakeCall()
    const bytes = Buffer.from([0xff])
    assert.match(
      refusal(() => invoke(call, 'handle', bytes, '/x', new FunctionRef(1))),
      /invalid HTTP method/,
    )
    assert.match(
      refusal(() => invoke(call, 'handle', 'GET', bytes, new FunctionRef(1))),
      /invalid route path/,
    )
  })

  it('can be called at module scope only', () => {
    for (const { phases } of httpCapability.functions) assert.deepEqual(phases, ['manifest', 'module'])
  })
})

describe('http.use', () => {
  it('numbers the functions in their order, also between routes', () => {
    const { call, registrations, handlers } = fakeCall()
    invoke(call, 'use', new FunctionRef(1))
    invoke(call, 'handle', 'GET', '/x', new FunctionRef(2))
    invoke(call, 'use', new FunctionRef(3))
    const keys = registrations.filter(({ kind }) => kind === 'middleware').map(({ key }) => key)
    assert.deepEqual(keys, ['1', '2'])
    assert.deepEqual(handlers, [1, 2, 3])
  })

  it('takes 100 functions at most', () => {
    const { call, registrations } = fakeCall()
    for (let count = 0; count < 100; count += 1) invoke(call, 'use', new FunctionRef(count))
    assert.match(
      refusal(() => invoke(call, 'use', new FunctionRef(0))),
      /maximum middleware limit/,
    )
    assert.equal(registrations.length, 100)
  })
})
