import type { FastifyInstance } from 'fastify'
import {
  type AdoptBody,
  adoptBodySchema,
  adoptResultSchema,
  type MigrateDownBody,
  type MigrateUpBody,
  migrateDownBodySchema,
  migrateDownResultSchema,
  migrateUpBodySchema,
  migrateUpResultSchema,
  migrationReportSchema,
} from './migration-schemas.js'
import type { OperationContext } from './plugin-operations.js'
import { errorSchema, type PluginParams, pluginParamsSchema, schemaOf } from './schemas.js'

const changing = {
  tag: 'migrations',
  params: pluginParamsSchema,
  failures: { 400: errorSchema, 404: errorSchema, 409: errorSchema, 422: errorSchema, 503: errorSchema },
} as const

/** What they change may be lost, which starting and stopping plugins cannot do. */
const changingPermission: object = { permission: 'migrations:admin' }

/** Adds the operations on the migrations of a plugin. */
export function addMigrationOperations(app: FastifyInstance, context: OperationContext): void {
  addStatus(app, context)
  addUp(app, context)
  addDown(app, context)
  addAdopt(app, context)
}

function addStatus(app: FastifyInstance, { administration: { migrations } }: OperationContext): void {
  const schema = schemaOf({
    ...changing,
    failures: { 404: errorSchema, 503: errorSchema },
    operationId: 'listMigrations',
    summary: 'List the migrations of a plugin',
    description: 'Compares what its folder has at this moment with what the database has.',
    answer: migrationReportSchema,
  })
  app.get<{ Params: PluginParams }>(
    '/plugins/:name/migrations',
    { schema },
    async ({ params: { name } }) => ({
      plugin: name,
      ...(await migrations.status(name)),
    }),
  )
}

function addUp(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const schema = schemaOf({
    ...changing,
    operationId: 'applyMigrations',
    summary: 'Apply the pending migrations of a plugin',
    description:
      'Each in a transaction of its own, in the order of their versions; one that fails is undone (PLUGIN_MIGRATION_FAILED) and ends the rest. Loading the plugin does the same.',
    body: migrateUpBodySchema,
    answer: migrateUpResultSchema,
  })
  app.post<{ Params: PluginParams; Body: MigrateUpBody }>(
    '/plugins/:name/migrations/up',
    { schema, config: changingPermission },
    async (request) => {
      const { name: plugin } = request.params
      const { to } = request.body
      const applied = await mutations.run(request, 'plugin.migrate.up', { plugin, to }, (actor) =>
        administration.migrations.up(plugin, actor, to),
      )
      return { ok: true, plugin, applied }
    },
  )
}

function addDown(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const schema = schemaOf({
    ...changing,
    operationId: 'revertMigrations',
    summary: 'Undo migrations of a plugin',
    description:
      'Undoes all above a version, the newest first. The plugin must be disabled, and each of them must say how it is undone; nothing is touched otherwise.',
    body: migrateDownBodySchema,
    answer: migrateDownResultSchema,
  })
  app.post<{ Params: PluginParams; Body: MigrateDownBody }>(
    '/plugins/:name/migrations/down',
    { schema, config: changingPermission },
    async (request) => {
      const { name: plugin } = request.params
      const { to } = request.body
      const reverted = await mutations.run(request, 'plugin.migrate.down', { plugin, to }, (actor) =>
        administration.migrations.down(plugin, actor, to),
      )
      return { ok: true, plugin, reverted }
    },
  )
}

function addAdopt(app: FastifyInstance, { administration, mutations }: OperationContext): void {
  const schema = schemaOf({
    ...changing,
    operationId: 'adoptMigration',
    summary: 'Record a migration of a plugin as applied without running it',
    description:
      'For tables that are there already: those that it would make become those of the plugin. Also ends the checksum error of a migration that was edited. Again it changes nothing.',
    body: adoptBodySchema,
    answer: adoptResultSchema,
  })
  app.post<{ Params: PluginParams; Body: AdoptBody }>(
    '/plugins/:name/migrations/adopt',
    { schema, config: changingPermission },
    async (request) => {
      const { name: plugin } = request.params
      const { version, if_table: table } = request.body
      const subject = { plugin, version, if_table: table }
      const result = await mutations.run(request, 'plugin.migrate.adopt', subject, (actor) =>
        administration.migrations.adopt(plugin, actor, version, table),
      )
      return { ok: true, plugin, version, result }
    },
  )
}
