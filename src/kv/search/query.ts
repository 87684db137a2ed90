import { kvSearchLimits } from '../../base/limits/kv.js'
import { kvQueryInvalid } from '../errors.js'

/** A query as FTS5 reads it. */
export interface SearchQuery {
  /** All of it. */
  readonly match: string
  /** Each of its words and phrases alone. */
  readonly terms: readonly string[]
}

interface Term {
  readonly text: string
  readonly isPrefix: boolean
  readonly isExcluded: boolean
}

/** Words and phrases that must be found together, and those that must not be. */
interface Group {
  readonly wanted: string[]
  readonly excluded: string[]
}

/** An optional minus, a phrase or a word, an optional star; a phrase that is left open goes on to the end. */
const termPattern = /(-?)(?:"([^"]*)(?:"|$)|([^\s"]+))(\*?)/gu

/**
 * Reads a query: words that must all be found, `"phrases in quotes"`, beginnings of words (`data*`), words that must
 * not be found (`-draft`), and `OR` between groups of all these (it binds least: `a b OR c` is `a` and `b`, or `c`).
 * Everything else, punctuation and the operators of FTS5 included, is text that is looked for.
 *
 * @param query Bounded by `kvSearchLimits`.
 * @throws `KV_QUERY_INVALID` for a query that is empty, too large, or says only what must not be found.
 */
export function parseQuery(query: string): SearchQuery {
  const { queryCharactersMax, queryTermsMax } = kvSearchLimits
  if (typeof query !== 'string') throw invalid('it is not a text.')
  if (query.length > queryCharactersMax) {
    throw invalid(`it has ${query.length} characters, and ${queryCharactersMax} are allowed.`)
  }
  const groups = readGroups(query)
  const terms = groups.flatMap(({ wanted, excluded }) => [...wanted, ...excluded])
  if (terms.length === 0) throw invalid('it is empty. Give it a word to look for.')
  if (terms.length > queryTermsMax) {
    throw invalid(`it has ${terms.length} words and phrases, and ${queryTermsMax} are allowed.`)
  }
  if (groups.some(({ wanted }) => wanted.length === 0)) {
    throw invalid('a part of it says only what must not be found. Add a word that must be.')
  }
  return { match: groups.map(writeGroup).join(' OR '), terms }
}

function readGroups(query: string): Group[] {
  const groups: Group[] = [{ wanted: [], excluded: [] }]
  for (const match of query.matchAll(termPattern)) {
    if (match[0] === 'OR') {
      groups.push({ wanted: [], excluded: [] })
      continue
    }
    const term = readTerm(match)
    if (term === undefined) continue
    const group = groups.at(-1)
    const list = term.isExcluded ? group?.excluded : group?.wanted
    list?.push(`${quote(term.text)}${term.isPrefix ? '*' : ''}`)
  }
  return groups.filter(({ wanted, excluded }) => wanted.length + excluded.length > 0)
}

/** Words carry their star with them, as the pattern of a word takes it in. */
function readTerm([, minus, phrase, word, star]: RegExpMatchArray): Term | undefined {
  const text = (phrase ?? word ?? '').trim()
  const isStarred = phrase === undefined && text.endsWith('*')
  const bare = isStarred ? text.replace(/\*+$/, '') : text
  if (bare === '' || bare === '-') return undefined
  return { text: bare, isPrefix: isStarred || star === '*', isExcluded: minus === '-' }
}

/** Makes a string of FTS5, inside of which nothing but the quote means anything. */
function quote(text: string): string {
  // FTS5 reads its query up to the first zero character.
  return `"${text.replaceAll('\0', ' ').replaceAll('"', '""')}"`
}

function writeGroup({ wanted, excluded }: Group): string {
  // Side by side, strings without any letter are passed over; joined by AND they would match nothing.
  const all = wanted.join(' ')
  return excluded.length === 0 ? `(${all})` : `(${all} NOT (${excluded.join(' OR ')}))`
}

function invalid(problem: string): Error {
  return kvQueryInvalid({ problem })
}
