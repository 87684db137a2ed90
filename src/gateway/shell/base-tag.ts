import { type HtmlTag, type HtmlText, readHtmlTags } from './html-tags.js'

/**
 * Gives an HTML text a `<base>` as the first child of its head, so that relative links hold wherever it is served. A
 * text whose own `<base>` has an address is given back as it is. Without a head tag, which HTML allows, the base
 * stands where browsers start the head by themselves.
 *
 * @param href Address of the base; escaped here.
 */
export function injectBase(html: string, href: string): string {
  const text = readHtmlTags(html)
  if (hasBase(text.tags)) return html
  const at = headStart(text)
  return `${html.slice(0, at)}<base href="${escapeHtml(href)}">${html.slice(at)}`
}

/** What stands in a template is no part of the page. */
function hasBase(tags: readonly HtmlTag[]): boolean {
  let templates = 0
  for (const { name, isEnd, attributes } of tags) {
    if (name === 'template') templates = isEnd ? Math.max(0, templates - 1) : templates + 1
    else if (name === 'base' && !isEnd && templates === 0 && attributes.includes('href')) return true
  }
  return false
}

/** Only `<html>` can come before `<head>`; behind anything else the head has begun, and ended, without its tag. */
function headStart({ doctypeEnd, tags }: HtmlText): number {
  let start = doctypeEnd
  for (const { name, isEnd, end, followsText } of tags) {
    if (followsText || isEnd) break
    if (name === 'head') return end
    if (name !== 'html') break
    start = end
  }
  return start
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character)
}
