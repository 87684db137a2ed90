import type { FastifyPluginCallback } from 'fastify'
import { installValidation } from '../../areas/validation.js'
import { createContext } from './context.js'
import { invalidRequest } from './errors.js'
import { accountAnswers } from './failures.js'
import { addKeyOperations } from './key-operations.js'
import type { AccountsApiOptions } from './options.js'
import { addRoleOperations } from './role-operations.js'
import { addSessionListOperations } from './session-list-operations.js'
import { addSessionOperations } from './session-operations.js'
import { addUserOperations } from './user-operations.js'

/** Path under which the host mounts the area. */
export const accountsPrefix = '/api/v1/auth'

/**
 * Creates signing in and the administration of users, roles, keys and sessions as an encapsulated Fastify plugin:
 * `app.register(createAccountsApi(options), { prefix: accountsPrefix })`. Who sends a request is found out in front of it.
 */
export function createAccountsApi(options: AccountsApiOptions): FastifyPluginCallback {
  return function accountsApi(app, _options, done) {
    const context = createContext(options)
    accountAnswers.install(app, options.log)
    installValidation(app, invalidRequest)
    app.addHook('onRequest', context.callers.check)
    addSessionOperations(app, context)
    addSessionListOperations(app, context)
    addUserOperations(app, context)
    addRoleOperations(app, context)
    addKeyOperations(app, context)
    done()
  }
}
