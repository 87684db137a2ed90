import type { FastifyInstance } from 'fastify'
import type { Authorizer } from '../auth/authorizer.js'
import { createPolicyAuthorizer } from '../auth/policy-area/policy-authorizer.js'
import {
  createPolicyRoutes,
  type PolicyRoutesOptions,
  policyPrefixes,
} from '../auth/policy-area/policy-routes.js'
import { parseDuration } from '../base/durations.js'
import { HostError, messageOf } from '../base/errors.js'
import { type ConfigProblem, toConfigError } from '../config/problems.js'
import type { Config } from '../config/schema.js'
import type { CoreDatabase } from '../database/database.js'
import { Follower } from '../gateway/follower.js'
import { PredicateEngine } from '../plugins/auth/predicate-engine.js'
import type { PluginDirectory } from '../plugins/plugin-directory.js'
import { readConfigured, readSeeds, type SeedOptions } from '../policies/configured-policies.js'
import { PolicyService } from '../policies/policy-service.js'
import type { Problem } from '../policies/problems.js'
import type { Logger } from '../telemetry/logger.js'

/** What policies need of their host. */
export interface PolicyMaterial {
  readonly config: Config
  readonly database: CoreDatabase
  readonly directory: PluginDirectory
  readonly log: Logger
}

/** What mounting their routes takes. */
export type PolicyDoor = Pick<PolicyRoutesOptions, 'authenticate' | 'record'>

/** The policies of one host. */
export interface HostPolicies {
  /** What rules name as `policies`. */
  readonly authorizer: Authorizer
  mountRoutes(app: FastifyInstance, door: PolicyDoor): Promise<void>
  /** To be called when no request is served any more, and before the database is closed. */
  close(): Promise<void>
}

/**
 * Reads the policies, plants the seeds, and follows what other processes change.
 *
 * @throws `CONFIG_INVALID` with everything that is wrong with policies of the configuration, `POLICIES_FULL` or
 *   `POLICIES_TOO_LARGE` for seeds without room.
 */
export async function composePolicies({
  config,
  database,
  directory,
  log,
}: PolicyMaterial): Promise<HostPolicies> {
  const problems = await findPolicyProblems(config)
  if (problems.length > 0) throw toConfigError(problems)
  const { algorithm, default: defaultEffect, environment, policies } = config.auth.policies
  const { failures, reset } = config.gateway.stage
  const breaker = { failuresMax: failures, resetMs: parseDuration(reset) }
  const predicates = new PredicateEngine({ directory, log, breaker })
  const service = await PolicyService.open({
    database,
    policies,
    seed: seedOf(config),
    environment,
    algorithm,
    defaultEffect,
    ask: predicates.ask,
    log,
  })
  const follower = new Follower({ database, followed: { policies: service }, log })
  follower.start()
  return {
    authorizer: createPolicyAuthorizer(service),
    async mountRoutes(app, { authenticate, record }) {
      const shared = { policies: service, inUse: arePoliciesUsed(config), authenticate, record, log }
      for (const [at, prefix] of policyPrefixes.entries()) {
        await app.register(createPolicyRoutes({ ...shared, isDocumented: at === 0 }), { prefix })
      }
    },
    async close() {
      await follower.close()
      predicates.close()
    },
  }
}

/** Finds everything that is wrong with policies of the configuration, and with seeds. */
export async function findPolicyProblems(config: Config): Promise<readonly ConfigProblem[]> {
  const { policies, environment } = config.auth.policies
  const key = 'auth.policies'
  const { file, policies: seeds, ...seed } = seedOf(config)
  return [
    ...(await problemsIn(key, () => readConfigured(policies, key))),
    ...(await problemsIn(`${key}.seed`, () => readConfigured(seeds, `${key}.seed`))),
    ...(await problemsIn(`${key}.seed.file`, () => readSeeds({ ...seed, file }, environment))),
  ]
}

async function problemsIn(key: string, read: () => unknown): Promise<readonly ConfigProblem[]> {
  try {
    await read()
    return []
  } catch (error) {
    const origin = 'configuration'
    const found =
      error instanceof HostError ? (error.details?.problems as readonly Problem[] | undefined) : undefined
    if (found === undefined) return [{ key, rule: messageOf(error), origin }]
    return found.map(({ path, rule }) => ({ key: path === '' ? key : `${key}.${path}`, rule, origin }))
  }
}

function seedOf(config: Config): Required<SeedOptions> {
  return config.auth.policies.seed
}

/** Tells whether a rule, or what holds without one, has policies decide anything. */
function arePoliciesUsed({ auth: { enabled, http } }: Config): boolean {
  const named = [
    ...http.authorizers,
    ...http.rules.flatMap(({ authorizers = [], authorizer = '' }) => [...authorizers, authorizer]),
  ]
  return enabled && named.includes('policies')
}
