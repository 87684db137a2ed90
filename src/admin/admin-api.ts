import type { FastifyPluginCallback } from 'fastify'
import { installValidation } from '../areas/validation.js'
import { addAuthOperations } from './auth-operations.js'
import { createAuthentication } from './authentication.js'
import { addCleanupOperations } from './cleanup-operations.js'
import { invalidRequest } from './errors.js'
import { adminAnswers } from './failures.js'
import { addGrantOperations } from './grant-operations.js'
import { addHookOperations } from './hook-operations.js'
import { addMetricsOperation } from './metrics-operation.js'
import { addMigrationOperations } from './migration-operations.js'
import { createMutations } from './mutations.js'
import type { AdminApiOptions } from './options.js'
import { addOutboundOperations } from './outbound-operations.js'
import { addPipelineOperations } from './pipeline-operations.js'
import { addPluginOperations, type OperationContext } from './plugin-operations.js'
import { addRouteOperations } from './route-operations.js'

/** Path under which the host mounts the admin API. */
export const adminPrefix = '/api/v1/admin'

/**
 * Creates the admin API as an encapsulated Fastify plugin: `app.register(createAdminApi(options), { prefix: adminPrefix })`.
 * Every path below the prefix, unknown ones too, needs a bearer credential of an admin.
 */
export function createAdminApi(options: AdminApiOptions): FastifyPluginCallback {
  return function adminApi(app, _options, done) {
    const authentication = createAuthentication(options.authenticate)
    const mutations = createMutations(authentication, options)
    const context: OperationContext = { administration: options.administration, authentication, mutations }
    adminAnswers.install(app, options.log)
    installValidation(app, invalidRequest)
    app.addHook('onRequest', authentication.check)
    addPluginOperations(app, context)
    addMigrationOperations(app, context)
    addRouteOperations(app, context)
    addGrantOperations(app, context)
    addPipelineOperations(app, context)
    addCleanupOperations(app, context)
    addHookOperations(app, { hooks: options.hooks, mutations })
    if (options.outbound !== undefined) addOutboundOperations(app, context, options.outbound)
    if (options.auth !== undefined) addAuthOperations(app, options.auth)
    if (options.metrics !== undefined) addMetricsOperation(app, options.metrics)
    done()
  }
}
