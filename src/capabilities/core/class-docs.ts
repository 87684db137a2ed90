import { coreLimits } from '../../base/limits/content.js'
import type { ClassDoc } from '../define.js'

type FieldDoc = ClassDoc['fields'][number]

const filters: readonly FieldDoc[] = [
  {
    name: 'where',
    luaType: 'table<string, db.Value|db.Condition>|db.ConditionList?',
    doc: 'A map `{ column = value }` or a list of conditions, as in `db.query`, without LIKE.',
  },
  {
    name: 'where_or',
    luaType: 'table[]?',
    doc: 'Filters of which one must hold, beside `where`; empty ones are skipped.',
  },
]

/** The shapes of the arguments and results of the module. */
export const coreClasses: readonly ClassDoc[] = [
  {
    name: 'core.QueryOptions',
    doc: 'What `core.query` and the like select.',
    fields: [
      ...filters,
      { name: 'columns', luaType: 'string[]?', doc: 'Columns; all when missing.' },
      { name: 'order_by', luaType: 'string|db.OrderTerm[]?', doc: 'One column, or a list of terms.' },
      { name: 'desc', luaType: 'boolean?', doc: 'Direction when `order_by` is one column.' },
      {
        name: 'limit',
        luaType: 'integer?',
        doc: `Rows at most; ${coreLimits.rowsDefault} when missing or not positive, ${coreLimits.rowsMax} at most.`,
      },
      { name: 'offset', luaType: 'integer?', doc: `Rows to skip, ${coreLimits.offsetMax} at most.` },
    ],
  },
  {
    name: 'core.UpdateOptions',
    doc: 'What `core.update` changes.',
    fields: [
      {
        name: 'set',
        luaType: 'table<string, any>',
        doc: 'New values by column; nothing can be set to null.',
      },
      ...filters,
    ],
  },
  { name: 'core.DeleteOptions', doc: 'Which rows `core.delete` removes.', fields: filters },
  {
    name: 'core.Row',
    doc: 'A row: values by column. Columns that hold JSON are tables, NULL has no key.',
    fields: [{ name: '[string]', luaType: 'any', doc: 'Value of the column of that name.' }],
  },
]
