import { Readable } from 'node:stream'
import { proxyLimits } from '../../base/limits/gateway.js'
import type { ProxyRule } from './proxy-rule.js'

/** Changes where the links of HTML pages lead. */
export class HtmlRewriter {
  readonly #baseTag: string | undefined
  readonly #relativePaths: boolean

  private constructor({ base, relativePaths }: Pick<ProxyRule, 'base' | 'relativePaths'>) {
    this.#baseTag =
      base === undefined ? undefined : `<base href="${escapeAttribute(base.replace(/\/*$/, '/'))}">`
    this.#relativePaths = relativePaths
  }

  /** The rewriter of a rule; undefined when the rule leaves pages as they are. */
  static of(rule: Pick<ProxyRule, 'base' | 'relativePaths'>): HtmlRewriter | undefined {
    return rule.base === undefined && !rule.relativePaths ? undefined : new HtmlRewriter(rule)
  }

  /** Gives the page with its links changed; a page beyond `proxyLimits.htmlBytesMax` as it is. */
  rewrite(page: Readable): Readable {
    return Readable.from(this.#chunks(page), { objectMode: false })
  }

  async *#chunks(page: Readable): AsyncGenerator<Buffer> {
    const held: Buffer[] = []
    let bytes = 0
    for await (const chunk of page as AsyncIterable<Buffer>) {
      if (bytes > proxyLimits.htmlBytesMax) {
        yield chunk
        continue
      }
      held.push(chunk)
      bytes += chunk.length
      if (bytes > proxyLimits.htmlBytesMax) yield Buffer.concat(held.splice(0))
    }
    if (held.length === 0) return
    // Every byte stands for itself, so that text in any encoding stays as it is.
    yield Buffer.from(this.rewriteText(Buffer.concat(held).toString('latin1')), 'latin1')
  }

  /** @param html With one character for each byte. */
  rewriteText(html: string): string {
    const text = this.#relativePaths ? withRelativePaths(html) : html
    return this.#baseTag === undefined ? text : withBase(text, this.#baseTag)
  }
}

const rootAbsolute = /(\b(?:src|href)\s*=\s*")\/(?!\/)|(')\/(?!\/)(?=[^'\n]*')/gi

function withRelativePaths(html: string): string {
  return html.replace(rootAbsolute, (_, attribute: string | undefined, quote: string | undefined) => {
    return `${attribute ?? quote}./`
  })
}

const headTag = /<head(?:\s[^>]*)?>/i
const baseTag = /<base[\s/>]/i
const comments = /<!--[\s\S]*?-->/g

/** A page that says by itself where its links start keeps that. */
function withBase(html: string, tag: string): string {
  // Comments keep their place, but nothing in them counts.
  const visible = html.replace(comments, (comment) => ' '.repeat(comment.length))
  const head = headTag.exec(visible)
  if (head === null || baseTag.test(visible)) return html
  const end = head.index + head[0].length
  return `${html.slice(0, end)}${tag}${html.slice(end)}`
}

function escapeAttribute(text: string): string {
  return text.replace(/[&"'<>]|[^\x20-\x7e]/gu, (char) => `&#${char.codePointAt(0)};`)
}
