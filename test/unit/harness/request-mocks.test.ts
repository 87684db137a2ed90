import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testLimits } from '../../../src/base/limits/harness.js'
import type { RequestMock } from '../../../src/capabilities/test/topics.js'
import { RequestMocks } from '../../../src/harness/request-mocks.js'

function mock(method: string, target: string, status = 200): RequestMock {
  return { method, target, status, headers: {}, body: '' }
}

function answer(mocks: RequestMocks, method: string, url: string): number | undefined {
  return mocks.answer({ method, url, headers: {}, body: '' })?.status
}

test('the first mock that fits answers; scheme, query and the case of method and host do not matter', () => {
  const mocks = new RequestMocks()
  mocks.add(mock('GET', 'API.example.com/v1/Items', 201))
  mocks.add(mock('GET', 'api.example.com/v1/Items', 202))
  mocks.add(mock('POST', 'api.example.com', 203))
  assert.equal(answer(mocks, 'get', 'https://api.EXAMPLE.com/v1/Items?page=2'), 201)
  assert.equal(answer(mocks, 'POST', 'http://api.example.com'), 203)
  assert.equal(answer(mocks, 'POST', 'http://api.example.com/?x=1'), 203)
})

test('what does not fit is answered by nobody, and is remembered all the same', () => {
  const mocks = new RequestMocks()
  mocks.add(mock('GET', 'api.example.com/items'))
  for (const [method, url] of [
    ['PUT', 'https://api.example.com/items'],
    ['GET', 'https://api.example.com/Items'],
    ['GET', 'https://api.example.com/items/1'],
    ['GET', 'https://api.example.com:8443/items'],
    ['GET', 'https://other.example.com/items'],
    ['GET', 'no url'],
  ] as const) {
    assert.equal(answer(mocks, method, url), undefined, url)
  }
  answer(mocks, 'GET', 'https://api.example.com/items')
  assert.deepEqual(
    mocks.seen.map(({ mocked }) => mocked),
    [false, false, false, false, false, false, true],
  )
})

test('a target with a scheme or a query could never fit and is refused', () => {
  const mocks = new RequestMocks()
  for (const target of ['https://api.example.com/x', 'api.example.com/x?y=1']) {
    assert.throws(() => mocks.add(mock('GET', target)), { code: 'TEST_MISUSE', message: /host and path/ })
  }
})

test('neither mocks nor requests grow without end', () => {
  const mocks = new RequestMocks()
  for (let at = 0; at < testLimits.mocksMax; at += 1) mocks.add(mock('GET', `host/${at}`))
  assert.throws(() => mocks.add(mock('GET', 'host/more')), /100 mocks/)
  for (let at = 0; at <= testLimits.requestsMax; at += 1) answer(mocks, 'GET', `https://host/${at}`)
  assert.equal(mocks.seen.length, testLimits.requestsMax)
  assert.equal(mocks.seen[0]?.url, 'https://host/1')
})
