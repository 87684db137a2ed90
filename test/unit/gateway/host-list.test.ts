import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { createHostList } from '../../../src/gateway/host-list.js'

const isServed = createHostList(['App.example.com', '*.tenants.example', '127.0.0.1', '[::1]'])

it('serves the names and addresses of the list, in any case, with any port and as full names', () => {
  for (const host of [
    'app.example.com',
    'APP.EXAMPLE.COM:8080',
    'app.example.com.',
    'app.example.com.:443',
    'a.tenants.example',
    'a.b.tenants.example:1',
    '127.0.0.1:3000',
    '[::1]',
    '[::1]:3000',
  ])
    assert.equal(isServed(host), true, host)
})

it('serves nothing else', () => {
  for (const host of [
    undefined,
    '',
    '.',
    ':80',
    'evil.example',
    'app.example.com.evil.example',
    'evil-app.example.com',
    'xapp.example.com',
    'app.example.com..',
    'app.example.com@evil.example',
    'evil.example:80@app.example.com',
    'evil.example#app.example.com',
    'app.example.com/x',
    'app.example.com:80:80',
    'app.example.com:80a',
    'app.example.com,evil.example',
    'tenants.example',
    '.tenants.example',
    'atenants.example',
    '127.0.0.1.nip.io',
    '127.0.0.2',
    '127.1',
    '2130706433',
    '[::1',
    '::1',
    '[::ffff:127.0.0.1]',
    'app.example.com\0',
    'ａpp.example.com',
  ])
    assert.equal(isServed(host), false, String(host))
})

it('lets every host in without a list', () => {
  const any = createHostList([])
  for (const host of [undefined, '', 'evil.example']) assert.equal(any(host), true)
})

it('never takes a name for another one that only begins or ends like it', () => {
  const list = createHostList(['app.example.com'])
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      const isOwn = /^(?::\d*)$/.test(text)
      assert.equal(list(`x${text.trim()}app.example.com`), false)
      if (!isOwn && !/^\s*\.?(?::\d*)?\s*$/.test(text)) assert.equal(list(`app.example.com${text}`), false)
    }),
  )
})
