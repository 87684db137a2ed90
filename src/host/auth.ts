import type { IncomingMessage } from 'node:http'
import { adminPrefix } from '../admin/admin-api.js'
import type { AuthAdministration } from '../admin/options.js'
import { plainName, planAccess, planOpenAccess, planShutAccess } from '../auth/access-plan.js'
import {
  countHeld,
  type ReportSources,
  reportAccess,
  reportMatch,
  summariseAccess,
} from '../auth/access-report.js'
import { createAccessStages } from '../auth/access-stages.js'
import type { Authenticator, AuthRequest } from '../auth/authenticator.js'
import { createAdminTokenAuthenticator, createTokenCheck } from '../auth/authenticators/static-token.js'
import type { Authorizer } from '../auth/authorizer.js'
import { builtInAuthorizers } from '../auth/built-in-authorizers.js'
import { proveAtPublicPath } from '../auth/proof.js'
import type { Rulebook } from '../auth/rulebook.js'
import { parseDuration } from '../base/durations.js'
import type { Config } from '../config/schema.js'
import { createClientSite } from '../gateway/client-site.js'
import type { Stage } from '../gateway/stage.js'
import { CredentialFilter } from '../identity/credentials.js'
import type { Identity } from '../identity/identity.js'
import { AuthEngine, type PluginParties } from '../plugins/auth/auth-engine.js'
import type { FunctionBreakerOptions } from '../plugins/function-runner.js'
import type { PluginDirectory } from '../plugins/plugin-directory.js'
import type { Logger } from '../telemetry/logger.js'
import { createAccountAuthenticators, credentialNames, type HostAccounts } from './accounts.js'
import { isProbe } from './health.js'
import { composeIssuers } from './issuers.js'

/** What finding out who may do what needs of its host. */
export interface AuthMaterial {
  readonly config: Config
  readonly log: Logger
  readonly adminToken: string
  readonly accounts: HostAccounts
  readonly directory: PluginDirectory
  /** Those of the host that are not always there. */
  readonly authorizers: readonly Authorizer[]
  /** Asked in front of all others, where plugins are tested. */
  readonly testAuthenticator?: Authenticator | undefined
  /** Tells whether a path is one of the host's own operations. */
  isOperation(path: string): boolean
}

/** Who may do what in one host. */
export interface HostAuth extends AuthAdministration {
  /** `authn` and `authz`. */
  readonly stages: readonly Stage[]
  /** Leaves the credentials of the host out of what goes to others. */
  readonly credentials: CredentialFilter
  /**
   * Puts the rules into force; until then every request is refused that is not for the host's own operations.
   *
   * @throws `AUTH_SETTINGS_INVALID` for names that nobody has.
   */
  start(): void
  /** Takes what makes paths public beside the rules; nothing does before. */
  exempt(isExempt: (method: string, path: string) => boolean): void
  /** How many of those whom rules name are not asked. */
  countHeld(): number
  /** See `proveAtPublicPath`. */
  prove(raw: IncomingMessage, asked: Omit<AuthRequest, 'site'>): Promise<Identity | undefined>
  /** To be called when no request is served any more. */
  close(): Promise<void>
}

/** Puts together what finds out who sends a request, and what decides whether they may. */
export function composeAuth({
  config,
  log,
  adminToken,
  accounts,
  directory,
  authorizers,
  testAuthenticator,
  isOperation,
}: AuthMaterial): HostAuth {
  const { enabled, http } = config.auth
  const operator = createAdminTokenAuthenticator(adminToken)
  const isTested = testAuthenticator === undefined ? [] : [testAuthenticator]
  const issuers = composeIssuers(config, accounts.roles)
  const own = createAccountAuthenticators(accounts)
  const authenticators = [...isTested, own.session, own.apiKey, operator, ...issuers.authenticators]
  // Each try with a password costs a hash, so that it is only taken where a rule says so.
  const nameable = [...authenticators, own.password]
  const credentials = new CredentialFilter({
    ...credentialNames(config),
    isAdminToken: createTokenCheck(adminToken),
  })
  const engine = new AuthEngine({
    directory,
    log,
    breaker: breakerOf(config),
    credentials,
  })
  // Put together anew only when plugins have changed: each request without credentials asks for it.
  let known: { readonly parties: PluginParties; readonly all: readonly Authenticator[] } | undefined
  const everybody = (): readonly Authenticator[] => {
    const parties = engine.parties()
    if (known?.parties !== parties) known = { parties, all: [...authenticators, ...parties.authenticators] }
    return known.all
  }
  let rulebook: Rulebook = (enabled ? planShutAccess : planOpenAccess)({ operator, isOperation })
  let isExempt = (_method: string, _path: string): boolean => false
  const sources = (): ReportSources => ({
    enabled,
    rulebook,
    written: enabled ? http.rules : [],
    authenticators: nameable,
    authorizers: [...builtInAuthorizers.values(), ...authorizers],
    plugins: engine.reports(),
    operator: { name: operator.name, path: `${adminPrefix}/plugins` },
  })
  const start = (): void => {
    if (enabled) {
      engine.assertUnique(Object.keys(config.auth.authenticators).map(plainName))
      rulebook = planAccess(http, {
        authenticators: nameable,
        authorizers,
        everybody,
        authenticator: (name) => engine.authenticator(name),
        authorizer: (name) => engine.authorizer(name),
        othersNames: (kind) => engine.reports()[`${kind}s`].map(({ name }) => name),
        arePluginsOn: config.plugin_enabled,
        operator,
        isOperation,
        isExempt: (method, path) => isExempt(method, path),
      })
    }
    const report = reportAccess(sources())
    log.info(`who may do what: ${summariseAccess(report)}`)
    // Where plugins are tested, all that they ask for is approved behind the start.
    if (testAuthenticator === undefined) for (const warning of report.warnings) log.warn(warning)
  }
  const { loginPath } = http
  const siteOf = createClientSite({ trustedProxies: config.plugin_trusted_proxies })
  const stages = createAccessStages({
    rulebook: () => rulebook,
    log,
    siteOf,
    loginPath: loginPath === '' ? undefined : loginPath,
    isProbe,
  })
  const exempt: HostAuth['exempt'] = (given) => {
    isExempt = given
  }
  const close = async (): Promise<void> => {
    engine.close()
    await issuers.close()
  }
  return {
    stages,
    credentials,
    start,
    exempt,
    status: () => reportAccess(sources()),
    match: (method, target) => reportMatch(sources(), method, target),
    countHeld: () => countHeld({ rulebook, plugins: engine.reports() }),
    prove: (raw, asked) => proveAtPublicPath(rulebook, { ...asked, site: siteOf(raw) }, log),
    close,
  }
}

function breakerOf({ gateway }: Config): FunctionBreakerOptions {
  return { failuresMax: gateway.stage.failures, resetMs: parseDuration(gateway.stage.reset) }
}
