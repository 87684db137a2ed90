import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listExecutableLines } from '../../../src/sandbox/executable-lines.js'
import { linesOfChunk } from '../../../src/sandbox/lua-chunk.js'

async function linesOf(text: string): Promise<readonly number[] | undefined> {
  return (await listExecutableLines(new Map([['a.lua', text]]))).get('a.lua')
}

test('lines with code are listed, in functions inside functions, too', async () => {
  const text = [
    '-- comment',
    'local a = 1',
    '',
    'local function outer(x, ...)',
    '  local y = ...',
    '  return function()',
    '    return x + y',
    '  end',
    'end',
    'if a then',
    '  outer(2)',
    'else',
    '  outer(3)',
    'end',
    'local t = {',
    '  one = 1,',
    '  two = outer(4),',
    '}',
  ].join('\n')
  assert.deepEqual(await linesOf(text), [2, 5, 7, 10, 11, 13, 15, 16, 17])
})

test('every kind of constant is read, and thousands of lines without code between two', async () => {
  const constants = `local all = { nil, true, false, 1, 2.5, 1 << 40, "short", [[${'long '.repeat(40)}]], -7 }`
  assert.deepEqual(await linesOf(`${constants}${'\n'.repeat(5000)}print(all)`), [1, 5001])
  const many = Array.from({ length: 700 }, (_, at) => `call(${at}, "text ${at}", ${at}.5)`)
  assert.deepEqual(
    await linesOf(many.join('\n')),
    many.map((_, at) => at + 1),
  )
})

test('a file that does not compile has no lines, and spoils no other', async () => {
  const files = new Map([
    ['bad.lua', 'function ('],
    ['empty.lua', ''],
    ['good.lua', 'return 1'],
  ])
  assert.deepEqual(
    [...(await listExecutableLines(files))],
    [
      ['bad.lua', []],
      ['empty.lua', []],
      ['good.lua', [1]],
    ],
  )
})

test('what is no bytecode of Lua 5.4 is refused', () => {
  assert.throws(() => linesOfChunk(Buffer.from('return 1'.padEnd(64))), /not bytecode/)
})
