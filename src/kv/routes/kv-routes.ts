import type { FastifyPluginCallback } from 'fastify'
import { addAtomicRoute } from './atomic-route.js'
import { addDeadLetterRoutes } from './dead-letter-routes.js'
import { addEntryRoutes } from './entry-routes.js'
import { addListRoutes } from './list-routes.js'
import { addListenRoute } from './listen-route.js'
import { createRouteMaker } from './operation.js'
import { addOverviewRoutes } from './overview-routes.js'
import { addPageRoutes } from './page-routes.js'
import { createGate } from './permissions.js'
import { addQueueRoutes } from './queue-routes.js'
import { kvAnswers } from './routes-failures.js'
import type { KvRoutesOptions } from './routes-options.js'
import { addSearchRoutes } from './search-routes.js'
import { Streams } from './streams.js'
import { addWatchRoutes } from './watch-routes.js'

/** Paths under which the host mounts the key-value store; the first is the one of the OpenAPI document. */
export const kvPrefixes = ['/keyval/api', '/api/keyval'] as const

/** The paths below the prefixes, for the server that they are mounted in. */
export const kvArea = { prefixes: kvPrefixes, refuse: kvAnswers.refuse } as const

/**
 * Creates the HTTP interface of the key-value store as an encapsulated Fastify plugin:
 * `app.register(createKvRoutes(options), { prefix: kvPrefixes[0] })`. Every path below the prefix, unknown ones too,
 * needs a bearer credential.
 */
export function createKvRoutes(options: KvRoutesOptions): FastifyPluginCallback {
  return function kvRoutes(app, _options, done) {
    kvAnswers.install(app, options.log)
    // The schemas are for the document: the readers of the routes tell the place and the beginning of a wrong value.
    app.setValidatorCompiler(() => () => true)
    app.setSerializerCompiler(() => (data) => JSON.stringify(data))
    app.addHook('onRequest', createGate(options))
    const route = createRouteMaker(options)
    const streams = new Streams(app, options)
    addListRoutes(app, route)
    addPageRoutes(app, route)
    addEntryRoutes(app, route)
    addAtomicRoute(app, route)
    addQueueRoutes(app, route, options.holds)
    addListenRoute(app, route, streams, options.holds)
    addDeadLetterRoutes(app, route)
    addWatchRoutes(app, route, streams)
    addSearchRoutes(app, route)
    addOverviewRoutes(app, route, options)
    done()
  }
}
