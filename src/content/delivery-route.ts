import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { contentLimits } from '../base/limits/content.js'
import { contentNotFound } from './errors.js'
import type { HookContext, HookedRead, ReadVerdict } from './hook-runner.js'
import { deliveriesLimited } from './routes-failures.js'
import type { ContentRoutesOptions } from './routes-options.js'
import { deliverySchema, operationSchema } from './routes-schemas.js'

interface DeliveryRequest {
  Params: { readonly slug: string }
}

/** Adds the delivery of published entries: the one public path to content, and the one that read hooks stand at. */
export function addDelivery(app: FastifyInstance, options: ContentRoutesOptions): void {
  const schema = operationSchema({
    operationId: 'getPublishedEntry',
    summary: 'Deliver a published entry',
    description:
      'Public. Read hooks of plugins may answer in the place of the entry, with a status of their own, and add headers.',
    isPublic: true,
    params: ['slug'],
    answers: { 200: deliverySchema() },
    failures: [404, 429],
  })
  app.get<DeliveryRequest>('/by-slug/:slug', { schema }, (request, reply) => deliver(options, request, reply))
}

async function deliver(
  { content, hooks, ...options }: ContentRoutesOptions,
  request: FastifyRequest<DeliveryRequest>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const clientIp = options.clientIp(request)
  if (!options.takeToken(clientIp)) throw deliveriesLimited({}, { retryAfterSeconds: 1 })
  const { slug } = request.params
  const entry =
    slug.length > contentLimits.slugCharactersMax ? undefined : await content.reader.published(slug)
  // Hooks run for what is there: asking for addresses that do not exist costs no time of plugins.
  if (entry === undefined) throw contentNotFound({ what: 'published entry', id: slug.slice(0, 80) })
  const read: HookedRead = {
    slug,
    headers: headersOf(options.stripCredentials(request.raw.rawHeaders)),
    query: queryOf(request.query),
    clientIp,
  }
  const context: HookContext = { requestId: request.id, actor: '', depth: 0 }
  const { answer, state } = await hooks.beforeRead(read, context)
  const added = await hooks.afterRead(read, state, context)
  const setHeaders = (headers: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(headers)) {
      if (options.isHeaderAllowed(name, value)) reply.header(name, value)
    }
  }
  if (answer !== undefined) setHeaders(answer.headers)
  setHeaders(added)
  if (answer !== undefined) return sendAnswer(reply, answer)
  const { author: _author, ...delivered } = entry
  return reply.send(delivered)
}

/** Sends what a hook answered; as text, because the schema of the entry does not describe it. */
function sendAnswer(reply: FastifyReply, answer: NonNullable<ReadVerdict['answer']>): FastifyReply {
  reply.code(answer.status)
  const isEmpty = answer.json === undefined || [204, 205, 304].includes(answer.status)
  if (isEmpty) return reply.send()
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.json))
}

/** Joins what came under one name; names are in lower case. */
function headersOf(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
  const headers = Object.create(null) as Record<string, string>
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return headers
}

/** Takes the first value of each key. */
function queryOf(query: unknown): Readonly<Record<string, string>> {
  const values = Object.create(null) as Record<string, string>
  for (const [key, given] of Object.entries(query as Record<string, unknown>)) {
    const value: unknown = Array.isArray(given) ? given[0] : given
    if (typeof value === 'string') values[key] = value
  }
  return values
}
