import { kvSearchLimits } from '../../base/limits/kv.js'
import { kvOptionInvalid } from '../errors.js'

/** What is put around what was found. */
export interface Marks {
  readonly open: string
  readonly close: string
}

/** Stands in a text for a mark that was in it before. */
const replacement = '\ufffd'

/**
 * Checks the marks of a search.
 *
 * @throws `KV_OPTION_INVALID` for marks that are no texts, empty or too long.
 */
export function checkMarks({ open, close }: Marks): void {
  for (const [name, mark] of Object.entries({ open, close })) {
    if (typeof mark === 'string' && mark.length > 0 && mark.length <= kvSearchLimits.markCharactersMax) {
      if (!mark.includes(replacement)) continue
    }
    const problem = `"highlight.${name}" must be a text of 1 to ${kvSearchLimits.markCharactersMax} characters without U+FFFD.`
    throw kvOptionInvalid({ problem })
  }
}

/**
 * Puts the marks of the caller into a text.
 *
 * Marks that the text itself contains are replaced by U+FFFD, so that all that the reader finds are about the search.
 * The rest of the text is as it was stored: for HTML take marks that escaping leaves alone, such as control characters,
 * escape, and then replace them by tags.
 *
 * @param marked The text with marks that nobody could have put into it.
 * @param secret Those marks.
 * @returns At most `kvSearchLimits.highlightCharactersMax` characters of the text around the first mark, with `…` where
 *   it was cut; undefined where nothing is marked.
 */
export function placeMarks(marked: string, secret: Marks, marks: Marks): string | undefined {
  const [lead = '', ...rest] = marked.split(secret.open)
  if (rest.length === 0) return undefined
  const { highlightCharactersMax: max, highlightLeadCharacters } = kvSearchLimits
  const before = tail(lead, highlightLeadCharacters)
  let left = max - before.length
  let text = `${before.length < lead.length ? '…' : ''}${hide(before, marks)}`
  for (const piece of rest) {
    if (left <= 0) return `${text}…`
    const [found = '', after = ''] = piece.split(secret.close)
    const [shownFound, shownAfter] = [head(found, left), head(after, left - found.length)]
    text += `${marks.open}${hide(shownFound, marks)}${marks.close}${hide(shownAfter, marks)}`
    left -= found.length + after.length
    if (left < 0) return `${text}…`
  }
  return text
}

function hide(text: string, { open, close }: Marks): string {
  return text.replaceAll(open, replacement).replaceAll(close, replacement)
}

/** The last characters of a text, without half a surrogate pair. */
function tail(text: string, length: number): string {
  const start = Math.max(0, text.length - length)
  return text.slice(isLowSurrogate(text, start) ? start + 1 : start)
}

function head(text: string, length: number): string {
  const end = Math.min(text.length, Math.max(0, length))
  return text.slice(0, isLowSurrogate(text, end) ? end - 1 : end)
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff && at > 0
}
