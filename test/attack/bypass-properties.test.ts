import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { secretText, startGuardedWorld, vault } from '../helpers/guarded-world.js'
import { bearer, single } from './bypass/row.js'

const guarded = [
  `${vault}/admin/x`,
  `${vault}/rest/a/b`,
  `${vault}/written`,
  '/site/admin/x',
  '/api/v1/admin/plugins',
]

/** Pieces that servers read in different ways. */
const pieces = [
  ...[
    '/',
    '//',
    '/./',
    '/../',
    '/x/../',
    '/..;/',
    '/;/',
    ';',
    ';x=1',
    '.',
    '..',
    '%',
    '%2',
    '*',
    '+',
    ' ',
    '~',
    ':',
    '@',
    '&',
    '=',
    ',',
  ],
  ...[
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '%2e',
    '%2E%2e',
    '%252f',
    '%252e',
    '%00',
    '%0a',
    '%20',
    '%23',
    '%3f',
    '%3b',
    '%25',
    '%c0%af',
    '%e2%80%8b',
  ],
  ...['?', '?x=/health', '#', '#x', '/health', '/open', '/health/..', 'admin', 'ADMIN'],
]

/** One change of a path at a place, as a part of its length. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(999), piece: fc.constantFrom(...pieces) }),
  fc.record({
    kind: fc.constant('encode' as const),
    at: fc.nat(999),
    piece: fc.constantFrom('lower', 'upper', 'twice'),
  }),
  fc.record({ kind: fc.constant('case' as const), at: fc.nat(999), piece: fc.constant('') }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(999), piece: fc.constant('') }),
)

function changed(
  path: string,
  { kind, at, piece }: typeof change extends fc.Arbitrary<infer T> ? T : never,
): string {
  const place = Math.floor((at / 1000) * (path.length + 1))
  const [before, letter, after] = [path.slice(0, place), path[place] ?? '', path.slice(place + 1)]
  switch (kind) {
    case 'insert':
      return `${before}${piece}${letter}${after}`
    case 'encode': {
      if (letter === '') return path
      const hex = letter.charCodeAt(0).toString(16).padStart(2, '0')
      return `${before}%${piece === 'twice' ? '25' : ''}${piece === 'upper' ? hex.toUpperCase() : hex}${after}`
    }
    case 'case':
      return `${before}${letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()}${after}`
    default:
      return before + after
  }
}

test('no change of a path reaches what a rule guards', { timeout: 240_000 }, async (t) => {
  const world = await startGuardedWorld(t)
  const admin = bearer(await world.issuer.sign({ roles: ['admin'] }))
  const weak = bearer(await world.issuer.sign({ tenant: 'acme' }))
  let [sent, open] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...guarded),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (path, changes) => {
        const target = changes.reduce(changed, path)
        const method = path === `${vault}/written` ? 'POST' : 'GET'
        // To the server behind anybody may go who is known, but for what admins alone may.
        const credentials = path.startsWith(vault) && !path.includes('/rest/') ? [[], weak] : [[]]
        for (const headers of credentials) {
          const before = world.reached()
          const { text, statuses } = await world.raw(single(target, headers, method))
          const isPublic = target.startsWith('/site/public') || target.startsWith('http')
          assert.equal(world.reached() - before, 0, `${target} answered ${statuses.join(' ')}`)
          assert.ok(isPublic || !text.includes(secretText), target)
        }
        const before = world.reached()
        const { text } = await world.raw(single(target, admin, method))
        sent += 1
        if (world.reached() > before || text.includes(secretText)) open += 1
      },
    ),
    { numRuns: 500, interruptAfterTimeLimit: 120_000 },
  )
  assert.ok(
    open > 20,
    `of ${sent} changed paths ${open} are still the same to the router, and open with a credential`,
  )
})
