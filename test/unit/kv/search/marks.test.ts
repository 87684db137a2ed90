import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kvSearchLimits } from '../../../../src/base/limits/kv.js'
import { checkMarks, placeMarks } from '../../../../src/kv/search/marks.js'
import { createSearchFixture } from '../../../helpers/kv-search.js'

const secret = { open: '\u0001', close: '\u0002' }
const marks = { open: '<b>', close: '</b>' }

test('marks stand around what was found', () => {
  assert.equal(placeMarks('a \u0001b\u0002 c \u0001d\u0002', secret, marks), 'a <b>b</b> c <b>d</b>')
  assert.equal(placeMarks('nothing', secret, marks), undefined)
})

test('marks that the text has itself are none', () => {
  assert.equal(
    placeMarks('<b>x</b> \u0001y<b>\u0002 <</b>b>', secret, marks),
    '\ufffdx\ufffd <b>y\ufffd</b> <\ufffdb>',
  )
})

test('a long text is cut around the first mark, and every mark that is opened is closed', () => {
  const { highlightCharactersMax, highlightLeadCharacters } = kvSearchLimits
  const piece = fc.oneof(fc.string({ maxLength: 300 }), fc.constant('😀'.repeat(300)))
  fc.assert(
    fc.property(piece, fc.array(fc.tuple(piece, piece), { minLength: 1, maxLength: 5 }), (lead, rest) => {
      const text = placeMarks(
        lead + rest.map(([found, after]) => `\u0001${found}\u0002${after}`).join(''),
        secret,
        {
          open: '‹',
          close: '›',
        },
      )
      assert.ok(text !== undefined)
      const opened = text.split('‹').length
      assert.equal(opened, text.split('›').length)
      assert.ok(text.replaceAll(/[‹›…]/g, '').length <= highlightCharactersMax)
      assert.ok(text.indexOf('‹') <= highlightLeadCharacters + 1)
      assert.ok(text.isWellFormed())
    }),
  )
})

test('marks have bounds', () => {
  checkMarks(marks)
  const long = 'x'.repeat(kvSearchLimits.markCharactersMax + 1)
  for (const wrong of ['', long, '\ufffd', 5 as unknown as string, undefined as unknown as string]) {
    assert.throws(() => checkMarks({ open: wrong, close: 'x' }), { code: 'KV_OPTION_INVALID' })
    assert.throws(() => checkMarks({ open: 'x', close: wrong }), { code: 'KV_OPTION_INVALID' })
  }
})

test('hits have their texts with marks, by field', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  search.index(['p'], { fields: ['title', 'tags'], tokenize: 'porter' })
  search.put(['p', 'a'], { title: 'Running <b>far</b>', tags: ['run', 'walk'] })
  search.put(['p', 'b'], { title: 'He runs', tags: ['none'] })
  assert.equal(search.hits(['p'], 'run')[0]?.highlights, undefined)
  const [a, b] = search.hits(['p'], 'run far OR runs', { highlight: marks })
  assert.deepEqual(a?.highlights, {
    title: '<b>Running</b> \ufffd<b>far</b>\ufffd',
    tags: '<b>run</b>\nwalk',
  })
  assert.deepEqual(b?.highlights, { title: 'He <b>runs</b>' })
  assert.throws(() => search.hits(['p'], 'run', { highlight: { open: '', close: '' } }), {
    code: 'KV_OPTION_INVALID',
  })
})

test('marks are placed inside of a transaction too, and leave nothing behind', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  search.index(['p'], { fields: [''] })
  search.put(['p', 'a'], 'one word')
  assert.throws(() => {
    search.session.write(() => {
      assert.deepEqual(search.hits(['p'], 'word', { highlight: marks })[0]?.highlights, {
        '': 'one <b>word</b>',
      })
      throw new Error('rolled back')
    })
  }, /rolled back/)
  assert.deepEqual(search.hits(['p'], 'one', { highlight: marks })[0]?.highlights, { '': '<b>one</b> word' })
})
