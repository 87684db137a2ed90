import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type GrantApproval,
  type GrantChange,
  grantTableOf,
  planGrants,
} from '../../../../src/plugins/grants/grant-plan.js'
import { type DeclaredGrant, grantKinds } from '../../../../src/plugins/grants/grant-table.js'

const domain: DeclaredGrant = { kind: 'domain', key: 'api.example.com', description: 'weather' }

const approvedRow: GrantApproval = {
  ...domain,
  approved: true,
  approvedAt: '2026-01-01T00:00:00.000Z',
  approvedBy: 'ann',
  version: '1',
  contentHash: 'aaa',
  createdAt: '2026-01-01T00:00:00.000Z',
}

const same: GrantChange = {
  stored: [approvedRow],
  grants: [domain],
  version: '1',
  contentHash: 'aaa',
  binding: 'version',
  now: '2026-02-02T00:00:00.000Z',
}

const isKept = (change: Partial<GrantChange>) =>
  planGrants({ ...same, ...change }).approvals.some(({ approved }) => approved)

describe('planGrants', () => {
  it('keeps an approval for the same version, with who gave it, and takes over another description', () => {
    assert.deepEqual(planGrants(same).approvals, [approvedRow])
    const other = { ...domain, description: 'tides' }
    assert.deepEqual(planGrants({ ...same, grants: [other] }).approvals, [{ ...approvedRow, ...other }])
  })

  it('withdraws every kind when the version changes', () => {
    const keys = {
      hook: 'before_create:x',
      domain: 'api.example.com',
      core: 'x:write',
      kv: 'x:write',
      stage: 'request /x',
      gateway: 'log:read',
      auth: 'authorizer hours',
    }
    for (const kind of grantKinds) {
      const grant = { kind, key: keys[kind], description: '' }
      const change = { stored: [{ ...approvedRow, ...grant }], grants: [grant] }
      assert.equal(isKept(change), true, kind)
      assert.equal(isKept({ ...change, version: '2' }), false, kind)
      const { withdrawn } = planGrants({ ...same, ...change, version: '2' })
      assert.deepEqual(
        withdrawn.map(({ key }) => key),
        [keys[kind]],
      )
    }
  })

  it('withdraws it for other source of the same version only when bound to the content', () => {
    assert.equal(isKept({ contentHash: 'bbb' }), true)
    assert.equal(isKept({ contentHash: 'bbb', binding: 'content' }), false)
    assert.equal(isKept({ binding: 'content' }), true)
    const edited = planGrants({ ...same, contentHash: 'bbb' }).approvals
    assert.equal(isKept({ stored: edited, contentHash: 'bbb', binding: 'content' }), false)
  })

  it('drops what is no longer asked for, so that it asks again when it returns', () => {
    const { approvals, withdrawn } = planGrants({ ...same, grants: [] })
    assert.deepEqual(approvals, [])
    assert.equal(withdrawn.length, 1)
    assert.equal(isKept({ stored: approvals }), false)
  })

  it('does not take an approval of one kind for another of the same key', () => {
    assert.equal(isKept({ grants: [{ ...domain, kind: 'core' }] }), false)
  })

  it('approves nothing without a decision, through any row of loads, for any binding', () => {
    const grant = fc.record({
      kind: fc.constantFrom(...grantKinds),
      key: fc.constantFrom('a:read', 'a:write', 'before_create:a', 'core a:read', 'x.example'),
      description: fc.constantFrom('', 'words'),
    })
    const keyOf = ({ kind, key }: DeclaredGrant) => `${kind}|${key}`
    const load = fc.record({
      grants: fc.uniqueArray(grant, { selector: keyOf }),
      version: fc.constantFrom('1', '2'),
      contentHash: fc.constantFrom('aaa', 'bbb'),
      binding: fc.constantFrom('version' as const, 'content' as const),
      /** Which of the grants somebody approves, or revokes, while this version is loaded. */
      approve: fc.array(fc.nat(5), { maxLength: 3 }),
      revoke: fc.array(fc.nat(5), { maxLength: 2 }),
    })
    fc.assert(
      fc.property(fc.array(load, { maxLength: 8 }), (loads) => {
        let stored: readonly GrantApproval[] = []
        /** The version and source that each approved grant was approved for: what a person has decided. */
        const decided = new Map<string, { version: string; contentHash: string }>()
        for (const { grants, version, contentHash, binding, approve, revoke } of loads) {
          const plan = planGrants({ stored, grants, version, contentHash, binding, now: same.now })
          const table = grantTableOf(plan)
          for (const key of [...decided.keys()]) {
            const decision = decided.get(key)
            const isAsked = grants.some((one) => keyOf(one) === key)
            const isSame = binding === 'version' || decision?.contentHash === contentHash
            if (!isAsked || decision?.version !== version || !isSame) decided.delete(key)
          }
          assert.deepEqual(plan.approvals.map(keyOf), grants.map(keyOf))
          for (const one of grants) {
            assert.equal(table.isApproved(one.kind, one.key), decided.has(keyOf(one)), keyOf(one))
          }
          stored = plan.approvals.map((row, index) => {
            const approved = (row.approved || approve.includes(index)) && !revoke.includes(index)
            if (!approved) decided.delete(keyOf(row))
            else if (approve.includes(index)) decided.set(keyOf(row), { version, contentHash })
            return approve.includes(index) ? { ...row, approved, version, contentHash } : { ...row, approved }
          })
        }
      }),
      { numRuns: 300 },
    )
  })
})
