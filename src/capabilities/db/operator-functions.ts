import type { LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition, ParamDoc } from '../define.js'
import { createId, timestampAgo, timestampOf } from './ids.js'
import {
  type ComparisonName,
  comparisonNames,
  makeAggregate,
  makeComparison,
  makeMembership,
  makeNullTest,
  makeRange,
} from './operators.js'
import { type AggregateFunction, aggregateFunctions } from './plan.js'

const conditionReturned = [{ luaType: 'db.Condition', doc: 'A value for a column in `where` or `having`.' }]

/** Declares a function that touches no database and costs nothing. */
function pure(
  fn: Pick<FunctionDefinition, 'name' | 'doc' | 'params' | 'returns' | 'example'>,
  run: (...args: LuaValue[]) => LuaValue,
): FunctionDefinition {
  return { ...fn, phases, cost: 0, mode: 'sync', handler: (_call, ...args) => run(...args) }
}

const comparisonDocs: Readonly<Record<ComparisonName, string>> = {
  eq: 'is equal to the value; with `db.null`, is NULL',
  neq: 'differs from the value; with `db.null`, is not NULL',
  gt: 'is greater than the value',
  gte: 'is greater than or equal to the value',
  lt: 'is less than the value',
  lte: 'is less than or equal to the value',
  like: 'matches the pattern (% for any text, _ for one character; ASCII letters in any case)',
  not_like: 'does not match the pattern',
}

/** Declares the makers of operators for filters. */
export function conditionFunctions(): readonly FunctionDefinition[] {
  const value = (name: string, doc: string): ParamDoc => ({ name, type: 'any', luaType: 'db.Value', doc })
  return [
    ...comparisonNames.map((name) =>
      pure(
        {
          name,
          doc: `Makes the condition that a column ${comparisonDocs[name]}. Raises for nil.`,
          params: [value('value', 'What to compare with.')],
          returns: conditionReturned,
          example: `db.query("tasks", { where = { title = db.${name}("a%") } })`,
        },
        (given) => makeComparison(name, given),
      ),
    ),
    ...(['in_list', 'not_in'] as const).map((name) =>
      pure(
        {
          name,
          doc: `Makes the condition that a column has ${name === 'in_list' ? 'one' : 'none'} of the values: given one by one, or as one list (up to 500). Raises without values.`,
          params: [{ ...value('values', 'The values, or one list of them.'), rest: true }],
          returns: conditionReturned,
          example: `db.query("tasks", { where = { status = db.${name}("open", "late") } })`,
        },
        (...given) => makeMembership(name, given),
      ),
    ),
    pure(
      {
        name: 'between',
        doc: 'Makes the condition that a column lies in a range, both ends included. Raises for nil.',
        params: [value('low', 'Lower end.'), value('high', 'Upper end.')],
        returns: conditionReturned,
        example: 'db.query("tasks", { where = { priority = db.between(1, 3) } })',
      },
      (low, high) => makeRange(low, high),
    ),
    ...(['is_null', 'is_not_null'] as const).map((name) =>
      pure(
        {
          name,
          doc: `Makes the condition that a column ${name === 'is_null' ? 'is' : 'is not'} NULL.`,
          params: [],
          returns: conditionReturned,
          example: `db.query("tasks", { where = { due = db.${name}() } })`,
        },
        () => makeNullTest(name),
      ),
    ),
  ]
}

const aggregateDocs: Readonly<Record<AggregateFunction, string>> = {
  count: 'counts rows (`*`) or the values of a column that are not NULL',
  sum: 'adds the values of a column',
  avg: 'gives the mean of the values of a column',
  min: 'gives the smallest value of a column',
  max: 'gives the largest value of a column',
}

/** Declares the makers of aggregates for `columns` and `having`. */
export function aggregateMakers(): readonly FunctionDefinition[] {
  return aggregateFunctions.map((fn) =>
    pure(
      {
        name: `agg_${fn}`,
        doc: `Makes an aggregate that ${aggregateDocs[fn]}, for \`columns\` or \`having\`.`,
        params: [
          { name: 'column', type: 'string', doc: fn === 'count' ? 'A column, or `*`.' : 'A column.' },
          {
            name: 'alias',
            type: 'string',
            optional: true,
            doc: `Key in the row; \`${fn}_<column>\`${fn === 'count' ? ' (`count` for `*`)' : ''} when missing.`,
          },
        ],
        returns: [
          { luaType: 'db.Aggregate', doc: 'An entry of `columns`, or the first part of a condition.' },
        ],
        example: `db.query("tasks", { columns = { "status", db.agg_${fn}("priority", "n") }, group_by = { "status" } })`,
      },
      (arg, alias): Tagged => makeAggregate(fn, arg, alias),
    ),
  )
}

/** Declares the makers of ids and times. */
export function valueFunctions(): readonly FunctionDefinition[] {
  const time = [{ luaType: 'string', doc: 'e.g. `2024-01-31T08:00:00Z`.' }]
  return [
    pure(
      {
        name: 'ulid',
        doc: 'Makes an identifier of 26 characters that sorts by the time of its making.',
        params: [],
        returns: [{ luaType: 'string', doc: 'The identifier.' }],
        example: 'local id = db.ulid()',
      },
      () => createId(),
    ),
    pure(
      {
        name: 'timestamp',
        doc: 'Gives the time as RFC 3339 in UTC with seconds, as `created_at` has it.',
        params: [],
        returns: time,
        example: 'db.update("tasks", { set = { closed_at = db.timestamp() }, where = { id = id } })',
      },
      () => timestampOf(),
    ),
    pure(
      {
        name: 'timestamp_ago',
        doc: 'Gives the time that is some seconds ago, in the form of `db.timestamp`; negative is in the future.',
        params: [{ name: 'seconds', type: 'integer', doc: 'At most 1000 years.' }],
        returns: time,
        example: 'db.delete("sessions", { where = { created_at = db.lt(db.timestamp_ago(3600)) } })',
      },
      (seconds) => timestampAgo(seconds as number | bigint),
    ),
  ]
}
