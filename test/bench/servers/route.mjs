import Fastify from 'fastify'

/** What every engine's handler is asked for; the same path as the plugin's route. */
export const routePath = '/api/v1/plugins/bench/hello/:name'

/** What a handler needs to know of a request, as a plugin gets it. */
export function describeRequest(request) {
  return {
    method: request.method,
    path: request.url,
    headers: { ...request.headers },
    query: { ...request.query },
    params: { ...request.params },
    client_ip: request.ip,
    body: '',
  }
}

/**
 * Serves the route on the port that the command line names.
 *
 * @param answer Gets the request object and returns `{ status, json }`.
 */
export async function serveRoute(answer) {
  const app = Fastify()
  app.get(routePath, (request, reply) => {
    const { status, json } = answer(describeRequest(request))
    reply.code(status).send(json)
  })
  await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
}
