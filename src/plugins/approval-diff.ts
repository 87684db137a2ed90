import { routeKey } from '../capabilities/http/route-rules.js'
import { describeRequirement, type Requirement } from '../identity/requirement.js'
import type { ApprovalDiff, ApprovalItem, DroppedApproval } from './administration.js'
import type { PluginEntry } from './plugin-entry.js'
import type { WithdrawnApproval, WithdrawnHistory } from './withdrawn-approvals.js'

/** Compares what the loaded version of a plugin asks for with what is and what was approved. */
export function diffApprovals(entry: PluginEntry, history: WithdrawnHistory): ApprovalDiff {
  const former = new Map(history.approvals.map((row) => [keyOf(row), row]))
  const items = itemsOf(entry)
  const asked = new Set(items.map(({ item }) => keyOf(item)))
  return {
    plugin: entry.name,
    plugin_version: entry.manifest?.version ?? '',
    content_hash: entry.contentHash,
    waiting: items
      .filter(({ approved }) => !approved)
      .map(({ item }) => ({ ...item, ...formerlyOf(former.get(keyOf(item))) })),
    approved: items.filter(({ approved }) => approved).map(({ item }) => item),
    // What went before the last approval was known to who gave it.
    dropped: history.approvals
      .filter((row) => !asked.has(keyOf(row)) && row.withdrawnAt >= history.lastApprovedAt)
      .map(toDropped),
  }
}

/** What the plugin asks for, in the order in which it asks. */
function itemsOf({ served }: PluginEntry): readonly { item: ApprovalItem; approved: boolean }[] {
  const routes = served.routes.routes.map(({ method, path, public: isPublic, requires, approved }) => ({
    item: {
      kind: 'route' as const,
      key: routeKey(method, path),
      description: isPublic ? 'public: answers anyone' : `needs ${needed(requires)}`,
      public: isPublic,
      ...(requires !== undefined && { requires }),
    },
    approved,
  }))
  const grants = served.grants.grants.map(({ kind, key, description, approved }) => ({
    item: { kind, key, description },
    approved,
  }))
  return [...routes, ...grants]
}

function needed(requires: Requirement | undefined): string {
  return requires === undefined ? 'a credential' : describeRequirement(requires)
}

function keyOf({ kind, key }: Pick<ApprovalItem, 'kind' | 'key'>): string {
  return `${kind} ${key}`
}

function formerlyOf(row: WithdrawnApproval | undefined): Pick<ApprovalItem, 'approved_before'> {
  if (row === undefined) return {}
  const { version, approvedAt, approvedBy } = row
  return {
    approved_before: { plugin_version: version, approved_at: approvedAt, approved_by: approvedBy },
  }
}

function toDropped(row: WithdrawnApproval): DroppedApproval {
  return {
    kind: row.kind,
    key: row.key,
    plugin_version: row.version,
    approved_at: row.approvedAt,
    approved_by: row.approvedBy,
    dropped_at: row.withdrawnAt,
  }
}
