import type { AuthMatch, AuthStatus, SignInProvider } from './auth-types.js'
import type { Transport } from './transport.js'

/** Shows who may do what on a server. All reject with `ClientError`. */
export interface AuthClient {
  /** The rules in their order, whom they name, and what may not have been meant. */
  status(): Promise<AuthStatus>
  /**
   * Tells which rule holds for a request, without sending it.
   *
   * @param path As a client sends it, with a query or without.
   */
  match(method: string, path: string): Promise<AuthMatch>
  /** The providers at which people sign in, in the order of the configuration; everybody may ask for them. */
  providers(): Promise<readonly SignInProvider[]>
}

const path = '/api/v1/admin/auth'

/** Creates the part of a client that looks at who may do what. */
export function createAuthClient(send: Transport): AuthClient {
  return {
    status: async () => (await send({ method: 'GET', path })) as AuthStatus,
    match: async (method, target) =>
      (await send({ method: 'POST', path: `${path}/match`, body: { method, path: target } })) as AuthMatch,
    providers: async () =>
      ((await send({ method: 'GET', path: '/api/v1/auth/providers' })) as { providers: SignInProvider[] })
        .providers,
  }
}
