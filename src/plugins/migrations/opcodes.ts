import type { Database } from 'better-sqlite3'
import { readSchema, type SchemaEntry } from './schema.js'
import { allowedFunctions, operatorFunctions } from './sql-words.js'

/** One step of the program that SQLite makes of a statement. */
interface Opcode {
  readonly opcode: string
  readonly p1: number
  readonly p2: number
  readonly p3: number
  readonly p4: string | null
}

/** Steps that look at, or change, what lies on a page of the file; which of their numbers names it. */
const pageOf: Readonly<Record<string, (code: Opcode) => readonly [page: number, database: number]>> = {
  OpenRead: ({ p2, p3 }) => [p2, p3],
  OpenWrite: ({ p2, p3 }) => [p2, p3],
  ReopenIdx: ({ p2, p3 }) => [p2, p3],
  Clear: ({ p1, p2 }) => [p1, p2],
}

/** Steps that call a function, which the fourth number names. */
const callsFunction = /^(?:Function|PureFunc|AggStep1?|AggInverse|AggValue|AggFinal)$/

/** Steps that no statement over rows of plain tables has. */
const refused =
  /^V|^(?:Program|Destroy|CreateBtree|ParseSchema|SetCookie|SqlExec|AutoCommit|Savepoint|DropTable|DropIndex|DropTrigger|JournalMode|Checkpoint|Vacuum|IncrVacuum|LoadAnalysis|Pagecount|MaxPgcnt|TableLock|CursorHint|Trace)$/

/**
 * Asks SQLite which tables a statement over rows would touch and which functions it would call. The second of two
 * guards: what the first one, which reads the SQL, let through by mistake ends here, before it runs.
 *
 * @param own Names of the plugin's tables, in lower case.
 * @returns What it would do that it may not; undefined when there is nothing.
 */
export function findForeignStep(
  connection: Database,
  sql: string,
  own: ReadonlySet<string>,
): string | undefined {
  const codes = connection.prepare<[], Opcode>(`explain ${sql}`).all()
  const schema = readSchema(connection)
  const pages = new Map(schema.map((entry) => [entry.root, entry]))
  for (const code of codes) {
    const step = judge(code, pages, own)
    if (step !== undefined) return step
  }
  return undefined
}

function judge(
  code: Opcode,
  pages: ReadonlyMap<number, SchemaEntry>,
  own: ReadonlySet<string>,
): string | undefined {
  const place = pageOf[code.opcode]?.(code)
  if (place !== undefined) {
    const [page, database] = place
    const entry = pages.get(page)
    if (database !== 0) return 'it touches another database'
    if (entry === undefined || !own.has(entry.table)) {
      return `it touches ${entry === undefined ? 'the schema' : `the ${entry.type} ${entry.name}`}`
    }
  }
  if (code.opcode === 'Transaction' && code.p1 !== 0) return 'it touches another database'
  if (callsFunction.test(code.opcode)) {
    const name = /^(.*)\(-?\d+\)$/.exec(code.p4 ?? '')?.[1]?.toLowerCase() ?? String(code.p4)
    if (!(allowedFunctions.has(name) || operatorFunctions.has(name))) return `it calls the function ${name}`
  }
  return refused.test(code.opcode) ? `it does what only the database itself does (${code.opcode})` : undefined
}
