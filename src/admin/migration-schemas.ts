import { type Static, Type } from '@sinclair/typebox'

const strict = { additionalProperties: false } as const
const text = (description: string) => Type.String({ description })
const version = (description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description })

/** One migration of a plugin. */
const migrationSchema = Type.Object({
  version: version('Number by which migrations are ordered.'),
  description: text('What it does.'),
  state: Type.String({
    enum: ['applied', 'pending', 'edited', 'missing'],
    description:
      'An edited one was applied with another SQL; a missing one was applied, and the folder has it no more. With either the plugin does not load.',
  }),
  reversible: Type.Optional(Type.Boolean({ description: 'Whether it says how it is undone.' })),
  place: Type.Optional(text('Its file, or db.migration; absent when it is missing.')),
  applied_at: Type.Optional(text('RFC 3339; absent while it is pending.')),
  applied_by: Type.Optional(text('Who ordered it; "load" when the plugin was loaded.')),
  duration_ms: Type.Optional(Type.Integer({ description: 'Time that it took.' })),
  adopted: Type.Optional(Type.Boolean({ description: 'True when it was recorded without being run.' })),
})

export const migrationReportSchema = Type.Object({
  plugin: text('Name of the plugin.'),
  migrations: Type.Array(migrationSchema, { description: 'By version.' }),
  problem: Type.Optional(
    text('Why only those are listed that are applied: the folder of the plugin cannot be used.'),
  ),
})

export const migrateUpBodySchema = Type.Object(
  { to: Type.Optional(version('Last version to apply; all when it is absent.')) },
  strict,
)
export type MigrateUpBody = Static<typeof migrateUpBodySchema>

export const migrateDownBodySchema = Type.Object(
  { to: version('Version that stays the newest; 0 undoes all.', 0) },
  strict,
)
export type MigrateDownBody = Static<typeof migrateDownBodySchema>

export const adoptBodySchema = Type.Object(
  {
    version: version('Version to record as applied.'),
    if_table: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'Only when the database has this table of the plugin, by its short or its full name.',
      }),
    ),
  },
  strict,
)
export type AdoptBody = Static<typeof adoptBodySchema>

const versions = (description: string) => Type.Array(Type.Integer(), { description })

export const migrateUpResultSchema = Type.Object({
  ok: Type.Literal(true),
  plugin: Type.String(),
  applied: versions('Those that were applied, in their order.'),
})

export const migrateDownResultSchema = Type.Object({
  ok: Type.Literal(true),
  plugin: Type.String(),
  reverted: versions('Those that were undone, in their order.'),
})

export const adoptResultSchema = Type.Object({
  ok: Type.Literal(true),
  plugin: Type.String(),
  version: Type.Integer(),
  result: Type.String({
    enum: ['adopted', 'unchanged', 'table_missing'],
    description: 'Unchanged when it was recorded before; table_missing when if_table is not there.',
  }),
})
