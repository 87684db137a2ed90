import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import { adminLimits } from '../base/limits.js'
import { createAuthentication } from './authentication.js'
import { addCleanupOperations } from './cleanup-operations.js'
import { installFailures } from './failures.js'
import { addGrantOperations } from './grant-operations.js'
import { addHookOperations } from './hook-operations.js'
import { addMetricsOperation } from './metrics-operation.js'
import { createMutations } from './mutations.js'
import type { AdminApiOptions } from './options.js'
import { addOutboundOperations } from './outbound-operations.js'
import { addPipelineOperations } from './pipeline-operations.js'
import { addPluginOperations, type OperationContext } from './plugin-operations.js'
import { addRouteOperations } from './route-operations.js'
import { installValidation } from './validation.js'

/** Path under which the host mounts the admin API. */
export const adminPrefix = '/api/v1/admin'

/**
 * Creates the admin API as an encapsulated Fastify plugin: `app.register(createAdminApi(options), { prefix: adminPrefix })`.
 * Every path below the prefix, unknown ones too, needs a bearer credential of an admin.
 */
export function createAdminApi(options: AdminApiOptions): FastifyPluginCallback {
  return function adminApi(app, _options, done) {
    const authentication = createAuthentication(options.authenticate)
    const mutations = createMutations(authentication, options.log)
    const context: OperationContext = { administration: options.administration, authentication, mutations }
    installDefaults(app)
    installValidation(app)
    app.addHook('onRequest', authentication.check)
    installFailures(app, options.log)
    addPluginOperations(app, context)
    addRouteOperations(app, context)
    addGrantOperations(app, context)
    addPipelineOperations(app, context)
    addCleanupOperations(app, context)
    addHookOperations(app, { hooks: options.hooks, mutations })
    if (options.outbound !== undefined) addOutboundOperations(app, context, options.outbound)
    if (options.metrics !== undefined) addMetricsOperation(app, options.metrics)
    done()
  }
}

/** Sets what does not depend on the surrounding application: it may have parsers and limits of its own. */
function installDefaults(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson)
  app.addHook('onRoute', (route) => {
    route.bodyLimit = adminLimits.bodyBytesMax
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
  })
}
