import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ApprovalChange, planApprovals, type RouteApproval } from '../../../src/plugins/approvals.js'

const approvedRow: RouteApproval = {
  method: 'GET',
  path: '/x',
  public: false,
  approved: true,
  approvedAt: '2026-01-01T00:00:00.000Z',
  approvedBy: 'ann',
  version: '1',
  contentHash: 'aaa',
  createdAt: '2026-01-01T00:00:00.000Z',
}

const same: ApprovalChange = {
  stored: [approvedRow],
  routes: [{ method: 'GET', path: '/x', public: false }],
  version: '1',
  contentHash: 'aaa',
  binding: 'version',
  now: '2026-02-02T00:00:00.000Z',
}

function isKept(change: Partial<ApprovalChange>): boolean {
  const { approvals, withdrawn } = planApprovals({ ...same, ...change })
  const kept = approvals.some(({ approved }) => approved)
  assert.deepEqual(
    withdrawn.map(({ method, path }) => `${method} ${path}`),
    kept ? [] : ['GET /x'],
  )
  return kept
}

describe('planApprovals', () => {
  it('keeps the approval of a route that has not changed, with who gave it', () => {
    assert.deepEqual(planApprovals(same).approvals, [approvedRow])
  })

  it('withdraws it when the version or the public flag changes, or the route is gone', () => {
    assert.equal(isKept({ version: '2' }), false)
    assert.equal(isKept({ routes: [{ method: 'GET', path: '/x', public: true }] }), false)
    assert.equal(isKept({ routes: [] }), false)
    assert.equal(isKept({ routes: [{ method: 'POST', path: '/x', public: false }] }), false)
  })

  it('withdraws it for other source under the same version only when bound to the content', () => {
    assert.equal(isKept({ contentHash: 'bbb' }), true)
    assert.equal(isKept({ contentHash: 'bbb', binding: 'content' }), false)
    assert.equal(isKept({ binding: 'content' }), true)
  })

  it('asks again for edited source when the binding becomes stricter later', () => {
    const edited = planApprovals({ ...same, contentHash: 'bbb' }).approvals
    const { approvals } = planApprovals({ ...same, stored: edited, contentHash: 'bbb', binding: 'content' })
    assert.deepEqual(
      approvals.map(({ approved, approvedBy }) => [approved, approvedBy]),
      [[false, null]],
    )
  })

  it('does not give a removed route its approval back when it returns', () => {
    const without = planApprovals({ ...same, routes: [] }).approvals
    assert.deepEqual(without, [])
    assert.equal(planApprovals({ ...same, stored: without }).approvals[0]?.approved, false)
  })

  it('never approves what was not approved, for any rows and routes', () => {
    const route = fc.record({
      method: fc.constantFrom('GET', 'POST'),
      path: fc.constantFrom('/a', '/b', '/c'),
      public: fc.boolean(),
    })
    const key = ({ method, path }: { method: string; path: string }) => `${method} ${path}`
    const row = fc.record({
      route,
      approved: fc.boolean(),
      version: fc.constantFrom('1', '2'),
      contentHash: fc.constantFrom('aaa', 'bbb'),
    })
    const change = fc.record({
      stored: fc.uniqueArray(row, { selector: (one) => key(one.route) }),
      routes: fc.uniqueArray(route, { selector: key }),
      binding: fc.constantFrom('version' as const, 'content' as const),
    })
    fc.assert(
      fc.property(change, ({ stored, routes, binding }) => {
        const rows = stored.map(({ route: declared, ...rest }) => ({ ...approvedRow, ...declared, ...rest }))
        const plan = planApprovals({ ...same, stored: rows, routes, binding })
        assert.deepEqual(plan.approvals.map(key), routes.map(key))
        for (const approval of plan.approvals) {
          const before = rows.find((candidate) => key(candidate) === key(approval))
          const mayKeep =
            before?.approved === true &&
            before.version === '1' &&
            before.public === approval.public &&
            (binding === 'version' || before.contentHash === 'aaa')
          assert.equal(approval.approved, mayKeep)
          if (!approval.approved) assert.equal(approval.approvedBy, null)
        }
      }),
      { numRuns: 200 },
    )
  })
})
