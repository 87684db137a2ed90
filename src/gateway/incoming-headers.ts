import type { Exchange } from './exchange.js'

/**
 * Header by which a server behind the host is told who calls. Only the host itself may say that, so what comes from
 * outside reaches no rule, no plugin and no server behind.
 */
const identityHeader = 'x-identity'
/** Some servers read it in this spelling as well. */
const looseIdentityHeader = 'x_identity'

/** Options of a connection that are no names of headers, or of headers without which a message is another one. */
const keptOptions: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te', 'trailer'])

/**
 * Headers that a client may not have taken out: by them the message is framed and directed, or our own proxies say
 * where it comes from.
 */
const keptHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'forwarded',
  'host',
  'transfer-encoding',
  'via',
])

/**
 * Takes out of a request what ends here, before any stage has decided by it: a claimed identity, and the headers that
 * `Connection` names. Everybody behind sees the same request, and a header that a stage sets stays, whatever the
 * client has written into `Connection`.
 */
export function takeOutForeign(exchange: Exchange): void {
  const { headers } = exchange.request.raw
  if (headers[identityHeader] !== undefined) exchange.setRequestHeader(identityHeader, undefined)
  if (headers[looseIdentityHeader] !== undefined) exchange.setRequestHeader(looseIdentityHeader, undefined)
  const { connection } = headers
  if (connection === undefined || keptOptions.has(connection)) return
  const options = connection
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
  for (const name of options) if (!isKept(name)) exchange.setRequestHeader(name, undefined)
  const kept = options.filter((name) => keptOptions.has(name))
  exchange.setRequestHeader('connection', kept.length === 0 ? undefined : kept.join(', '))
}

function isKept(name: string): boolean {
  return name === '' || keptOptions.has(name) || keptHeaders.has(name) || name.startsWith('x-forwarded-')
}
