/** What plugins may do with a table of the host at most; each needs an approval besides. */
export interface CoreTablePolicy {
  readonly isWritable: boolean
  /** Columns that plugins never see: not in rows, not in filters, not in an order. */
  readonly hidden: readonly string[]
}

/**
 * The tables of the host that plugins can be let at. A table that is not listed, such as those of plugins, approvals,
 * users and sessions, is not accessible to any plugin.
 *
 * Change events hold images of rows of every table: who may read events may not read through them what he has no
 * approval for, so the images are hidden.
 */
export const corePolicy: Readonly<Record<string, CoreTablePolicy>> = {
  content_data: { isWritable: true, hidden: [] },
  media: { isWritable: true, hidden: [] },
  datatypes: { isWritable: false, hidden: [] },
  change_events: { isWritable: false, hidden: ['before', 'after'] },
}
