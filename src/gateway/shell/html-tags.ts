/** A tag of an HTML text, in the order of the text. */
export interface HtmlTag {
  /** In lower case. */
  readonly name: string
  readonly isEnd: boolean
  /** Index behind its `>`. */
  readonly end: number
  /** Names of its attributes in lower case; none for end tags. */
  readonly attributes: readonly string[]
  /** True when there is text other than white space between this tag and the one before. */
  readonly followsText: boolean
}

/** Elements whose content is text up to their own end tag; of `noscript` as browsers that run scripts see it. */
const textElements: ReadonlySet<string> = new Set([
  'style',
  'title',
  'textarea',
  'noscript',
  'iframe',
  'noembed',
  'noframes',
  'xmp',
])

// White space is what HTML calls so, which is less than \s.
const tagStart = /<(\/?)([a-z][^\t\n\f\r />]*)/iy
const attribute = /[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)/y
const attributeValue = /[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|(?!["'])[^\t\n\f\r >]*)/y
const valueStart = /[\t\n\f\r ]*=/y
const tagEnd = /[\t\n\f\r /]*>/y
const doctype = /<!doctype\b[^>]*>/iy
const bogusComment = /<(?:[!?]|\/(?![a-z]))[^>]*>?/iy
const scriptMarks = /<!--|-->|<(\/?)script(?=[\t\n\f\r />])/gi

/** Where an HTML text has its doctype, and its tags one by one. */
export interface HtmlText {
  /** Index behind the doctype, which counts in front of everything else only; 0 without one. */
  readonly doctypeEnd: number
  readonly tags: readonly HtmlTag[]
}

/**
 * Finds the tags of an HTML text as browsers do: nothing in comments, scripts, styles and other elements of text is
 * one, and neither is a tag that does not end. The time is linear in the length of the text.
 */
export function readHtmlTags(html: string): HtmlText {
  const tags: HtmlTag[] = []
  let doctypeEnd = 0
  let followsText = false
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    const text = open === -1 ? html.slice(at) : html.slice(at, open)
    if (/[^\t\n\f\r ]/.test(text)) followsText = true
    if (open === -1) break
    if (html.startsWith('<!--', open)) {
      at = commentEnd(html, open)
      continue
    }
    const tag = readTag(html, open, followsText)
    if (tag === 'unfinished') break
    if (tag !== undefined) {
      tags.push(tag)
      followsText = false
      at = tag.isEnd ? tag.end : contentStart(html, tag)
      continue
    }
    const declared = match(doctype, html, open)
    const skipped = declared ?? match(bogusComment, html, open)
    if (declared !== undefined && tags.length === 0 && !followsText) doctypeEnd = open + declared[0].length
    if (skipped === undefined) followsText = true
    at = open + (skipped?.[0].length ?? 1)
  }
  return { doctypeEnd, tags }
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(text) ?? undefined
}

function commentEnd(html: string, open: number): number {
  // "<!-->" and "<!--->" are whole comments; "--!>" ends one, too.
  const found = match(/<!--(?:-?>|[\s\S]*?--!?>)/y, html, open)
  return found === undefined ? html.length : open + found[0].length
}

function readTag(html: string, open: number, followsText: boolean): HtmlTag | 'unfinished' | undefined {
  const start = match(tagStart, html, open)
  if (start === undefined) return undefined
  const attributes: string[] = []
  let at = open + start[0].length
  for (;;) {
    const end = match(tagEnd, html, at)
    if (end !== undefined) {
      at += end[0].length
      break
    }
    const found = match(attribute, html, at)
    if (found === undefined) return 'unfinished'
    attributes.push((found[1] ?? '').toLowerCase())
    at += found[0].length
    const value = match(attributeValue, html, at)
    if (value !== undefined) at += value[0].length
    else if (match(valueStart, html, at) !== undefined) return 'unfinished'
  }
  const isEnd = start[1] === '/'
  const name = (start[2] ?? '').toLowerCase()
  return { name, isEnd, end: at, attributes: isEnd ? [] : attributes, followsText }
}

/** Where the next tag can be: behind the content of an element of text, at its end tag. */
function contentStart(html: string, { name, end }: HtmlTag): number {
  if (name === 'plaintext') return html.length
  if (name === 'script') return scriptEnd(html, end)
  if (!textElements.has(name)) return end
  const close = new RegExp(`</${name}(?=[\\t\\n\\f\\r />])`, 'gi')
  close.lastIndex = end
  return close.exec(html)?.index ?? html.length
}

/** A script that has a comment with a script in it ends behind that comment. */
function scriptEnd(html: string, start: number): number {
  let depth = 0
  scriptMarks.lastIndex = start
  for (let mark = scriptMarks.exec(html); mark !== null; mark = scriptMarks.exec(html)) {
    if (mark[0] === '-->') depth = 0
    else if (mark[0] === '<!--') {
      if (depth === 0) depth = 1
      // "<!-->" is a whole comment: its dashes count twice.
      scriptMarks.lastIndex -= 2
    } else if (mark[1] === '') {
      if (depth === 1) depth = 2
    } else if (depth === 2) depth = 1
    else return mark.index
  }
  return html.length
}
