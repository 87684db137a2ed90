import type { FastifyPluginCallback } from 'fastify'
import { addDelivery } from './delivery-route.js'
import { contentAnswers } from './routes-failures.js'
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
    contentAnswers.install(app, options.log)
    // The schemas are for the document and for what is sent: what comes in is checked by the service, for all its users.
    app.setValidatorCompiler(() => () => true)
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
