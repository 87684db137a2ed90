import { type Static, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessReport, PartyReport } from '../auth/access-report.js'
import { defineError, HostError } from '../base/errors.js'
import type { CoreDatabase } from '../database/database.js'
import type { User } from '../identity/user.js'
import type { PluginAdministration } from '../plugins/administration.js'

const permission = 'plugins:read'

/** Raised for details without a credential. */
export const detailsUnauthorized = defineError(
  'UNAUTHORIZED',
  401,
  'the details of health need a credential, e.g. the admin token as "Authorization: Bearer <token>"; without detail=1 they are left out',
)

/** Raised for details with a credential of somebody who may not read them. */
export const detailsForbidden = defineError(
  'FORBIDDEN',
  403,
  'user "{user}" does not have the permission "{permission}" that the details of health need',
)

const partySchema = Type.Object({
  name: Type.String(),
  state: Type.String({
    enum: ['ready', 'paused', 'held'],
    description: 'What names one that is not ready is refused.',
  }),
})

/** What is told only to those who may look at plugins. */
export const healthDetailsSchema = Type.Object({
  plugins: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String({ description: 'Empty for a plugin that was never read.' }),
      state: Type.String(),
      circuit: Type.String({ description: 'Its circuit breaker; `closed` takes calls.' }),
      migrations_applied: Type.Integer(),
      routes: Type.Integer({ description: 'Those that answer.' }),
      authenticators: Type.Array(partySchema),
      authorizers: Type.Array(partySchema),
    }),
  ),
  warnings: Type.Array(Type.String(), { description: 'What may not have been meant, each a sentence.' }),
})

export type HealthDetails = Static<typeof healthDetailsSchema>

/** What the details are found out from. */
export interface HealthDetailSources {
  readonly database: CoreDatabase
  readonly administration: Pick<PluginAdministration, 'list' | 'routes'>
  /** Sentences on what no plugin's state tells. */
  problems(): readonly string[]
  access(): AccessReport
  /**
   * Gives the user who asks, also where the path is public.
   *
   * @throws HostError for a credential that is not taken, or that cannot be checked at the moment.
   */
  identify(request: FastifyRequest): Promise<User | undefined>
}

/** Tells whether a request asks for details: only a missing, empty or plainly negative word is a no. */
export function asksForDetails({ query }: FastifyRequest): boolean {
  const { detail } = query as { readonly detail?: unknown }
  return detail !== undefined && detail !== '' && detail !== '0' && detail !== 'false'
}

/**
 * Makes sure that whoever asks may read the details.
 *
 * @returns False when the request has been refused.
 */
export async function admitToDetails(
  sources: HealthDetailSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const refusal = await refusalOf(sources, request)
  if (refusal === undefined) return true
  const { code, status, message } = refusal
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  await reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ error: { code, message, request_id: request.id } })
  return false
}

async function refusalOf(
  { identify }: HealthDetailSources,
  request: FastifyRequest,
): Promise<HostError | undefined> {
  try {
    const user = await identify(request)
    if (user === undefined) return detailsUnauthorized()
    return user.may(permission) ? undefined : detailsForbidden({ user: user.username, permission })
  } catch (error) {
    if (error instanceof HostError) return error
    throw error
  }
}

/** Describes each plugin, and what an operator may not have meant. */
export async function describeHealth(sources: HealthDetailSources): Promise<HealthDetails> {
  const { administration, database } = sources
  const applied = await countMigrations(database)
  const access = sources.access()
  const routes = administration.routes().filter(({ approved }) => approved)
  const partiesOf = (parties: readonly PartyReport[], plugin: string) =>
    parties.filter((party) => party.plugin === plugin).map(({ name, state }) => ({ name, state }))
  return {
    plugins: administration
      .list()
      .map(({ name, version, state, circuit_breaker_state: circuit = 'closed' }) => ({
        name,
        version,
        state,
        circuit,
        migrations_applied: applied.get(name) ?? 0,
        routes: state === 'running' ? routes.filter(({ plugin }) => plugin === name).length : 0,
        authenticators: partiesOf(access.authenticators, name),
        authorizers: partiesOf(access.authorizers, name),
      })),
    warnings: [...access.warnings, ...sources.problems()],
  }
}

/** Without an answer of the database there are none; `checks.database` says so. */
async function countMigrations({ kysely }: CoreDatabase): Promise<ReadonlyMap<string, number>> {
  try {
    const rows = await kysely
      .selectFrom('plugin_migrations')
      .select(['plugin_name', (all) => all.fn.countAll<number>().as('count')])
      .groupBy('plugin_name')
      .execute()
    return new Map(rows.map(({ plugin_name, count }) => [plugin_name, Number(count)]))
  } catch {
    return new Map()
  }
}
