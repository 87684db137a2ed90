import type { OutboundSender } from '../outbound/outbound-sender.js'
import { authorityOf } from '../outbound/outbound-url.js'
import type { RequestMocks } from './request-mocks.js'

/** Sends nothing: answers the requests of plugins that have passed all checks with the mocks of a test. */
export function createMockedSender(mocks: RequestMocks): OutboundSender {
  return {
    async send({ method, target, headers, body }) {
      const url = `${target.scheme}://${authorityOf(target)}${target.path}`
      const sent: Record<string, string> = Object.create(null)
      for (const [name, value] of headers.entries) sent[name.toLowerCase()] = value
      const mock = mocks.answer({ method, url, headers: sent, body: body ?? '' })
      if (mock === undefined) {
        const message = `no mock answers ${method} ${url}: tests do not reach the network`
        return { ok: false, failure: { kind: 'refused', message } }
      }
      const answered: Record<string, string> = Object.create(null)
      for (const [name, value] of Object.entries(mock.headers)) answered[name.toLowerCase()] = value
      const bytes = typeof mock.body === 'string' ? Buffer.from(mock.body) : mock.body
      return { ok: true, response: { status: mock.status, headers: answered, body: bytes } }
    },
  }
}
