/** Tells whether a path is meant. */
export type PathMatcher = (path: string) => boolean

/** Tells whether a text without slashes is meant. */
export type TextMatcher = (text: string) => boolean

const anyText = '*'
const anySegments = '**'

/**
 * Finds the segment of a glob in which `**` is only a part, so that nobody could say what it means; undefined when there
 * is none.
 */
export function looseStars(glob: string): string | undefined {
  return glob.split('/').find((segment) => segment !== anySegments && segment.includes(anySegments))
}

/**
 * Compiles a glob of whole paths: `*` is one segment that is not empty or a part of one, `**` as a whole segment is any
 * number of them, so that `/a/**` is `/a` as well; everything else stands for itself. It is matched in time that grows
 * with the length of the path times that of the glob.
 *
 * @param glob Starts with a slash, and `looseStars` finds nothing in it.
 */
export function compilePathGlob(glob: string): PathMatcher {
  if (!glob.includes(anyText)) return (path) => path === glob
  const segments = glob.slice(1).split('/')
  const head = glob.slice(0, -(anySegments.length + 1))
  if (glob.endsWith(`/${anySegments}`) && !head.includes(anyText)) {
    return (path) => path.startsWith(head) && (path.length === head.length || path[head.length] === '/')
  }
  const groups = groupSegments(segments)
  return (path) => path.startsWith('/') && matchesGroups(path.slice(1).split('/'), groups)
}

/**
 * Compiles a glob of texts in which `*` is any number of characters, and everything else stands for itself; `*` alone is
 * any text that is not empty. What is between the stars is looked for by the engine itself: a text is as long as a client
 * makes it.
 */
export function compileTextGlob(glob: string): TextMatcher {
  if (!glob.includes(anyText)) return (text) => text === glob
  if (glob === anyText) return (text) => text !== ''
  const pieces = glob.split(anyText)
  const first = pieces[0] as string
  const last = pieces.at(-1) as string
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let from = first.length
    for (const piece of middle) {
      const at = text.indexOf(piece, from)
      if (at === -1) return false
      from = at + piece.length
    }
    return from <= end
  }
}

/** Segments that follow each other; any number of others may be between one group and the next. */
type Group = readonly TextMatcher[]

function groupSegments(segments: readonly string[]): readonly Group[] {
  const groups: TextMatcher[][] = [[]]
  for (const segment of segments) {
    if (segment === anySegments) groups.push([])
    else groups.at(-1)?.push(compileTextGlob(segment))
  }
  return groups
}

/** The first group stands at the start, the last at the end, each of the others as early as it can. */
function matchesGroups(path: readonly string[], groups: readonly Group[]): boolean {
  const first = groups[0] as Group
  if (groups.length === 1) return path.length === first.length && isAt(path, 0, first)
  const last = groups.at(-1) as Group
  const end = path.length - last.length
  if (end < first.length || !isAt(path, 0, first) || !isAt(path, end, last)) return false
  let from = first.length
  for (const group of groups.slice(1, -1)) {
    while (from + group.length <= end && !isAt(path, from, group)) from += 1
    from += group.length
    if (from > end) return false
  }
  return true
}

function isAt(path: readonly string[], from: number, group: Group): boolean {
  for (let at = 0; at < group.length; at += 1) {
    if (!(group[at] as TextMatcher)(path[from + at] as string)) return false
  }
  return true
}
