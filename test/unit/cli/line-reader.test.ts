import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createLineReader } from '../../../cli/line-reader.js'

test('lines typed ahead answer the questions that follow, and the end of the input answers with nothing', async () => {
  const input = new PassThrough()
  const output = new PassThrough()
  const ask = createLineReader(input, output)
  input.write('one\ntwo\n')
  assert.equal(await ask('a? '), 'one')
  assert.equal(await ask('b? '), 'two')
  const third = ask('c? ')
  input.end('thr')
  assert.equal(await third, 'thr')
  assert.equal(await ask('d? '), '')
  assert.equal(String(output.read()), 'a? b? c? d? ')
})
