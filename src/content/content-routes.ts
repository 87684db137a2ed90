import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { contentLimits } from '../base/limits.js'
import { addDelivery } from './delivery-route.js'
import { installFailures } from './routes-failures.js'
import type { ContentRoutesOptions } from './routes-options.js'
import { addTableRoutes } from './table-routes.js'
import { createUsers } from './users.js'

/** Path under which the host mounts the content. */
export const contentPrefix = '/api/v1/content'

/**
 * Creates the routes of the content as an encapsulated Fastify plugin:
 * `app.register(createContentRoutes(options), { prefix: contentPrefix })`. All but the delivery of published entries
 * need a bearer credential of an admin.
 */
export function createContentRoutes(options: ContentRoutesOptions): FastifyPluginCallback {
  return function contentRoutes(app, _options, done) {
    installDefaults(app)
    installFailures(app, options.log)
    addDelivery(app, options)
    app.register((tables, _nothing, added) => {
      const users = createUsers(options)
      tables.addHook('onRequest', users.check)
      addTableRoutes(tables, options.content, users)
      added()
    })
    done()
  }
}

/** Sets what does not depend on the surrounding application: it may have parsers and limits of its own. */
function installDefaults(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson)
  // The schemas are for the document and for what is sent: what comes in is checked by the service, for all its users.
  app.setValidatorCompiler(() => () => true)
  app.addHook('onRoute', (route) => {
    route.bodyLimit = contentLimits.bodyBytesMax
  })
  app.addHook('onRequest', async (_request: FastifyRequest, reply: FastifyReply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
}
