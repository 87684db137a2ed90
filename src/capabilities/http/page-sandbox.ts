/** What browsers show, and run nothing of. */
const plainType =
  /^(?:application\/json|application\/octet-stream|text\/plain|text\/csv|text\/event-stream)\s*(?:;|$)/i

/**
 * Pages of plugins stand under the origin of the host, and a page of that origin could do with the session cookie whatever
 * the one who looks at it may do. So each is a page of no origin: its scripts run, and are strangers to the host.
 */
const sandbox = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts'

/**
 * Gives the headers that an answer of a plugin has beside its own, so that a browser takes no page in it for one of the host.
 *
 * @param headers Of the answer: name, value, name, value.
 */
export function sandboxHeaders(headers: readonly string[]): readonly string[] {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    if (name.toLowerCase() === 'content-type') {
      return plainType.test(value) ? [] : ['content-security-policy', sandbox]
    }
  }
  return []
}
