import { defineError } from '../../base/errors.js'

/** A migration failed; nothing of it has stayed. `{reason}` may name SQL and is for admins. */
export const migrationFailed = defineError(
  'PLUGIN_MIGRATION_FAILED',
  422,
  'Migration {version} of plugin "{plugin}" failed and was undone: {reason}',
)

/** The SQL of a migration is no longer what was applied. */
export const migrationEdited = defineError(
  'PLUGIN_MIGRATION_EDITED',
  409,
  'Migration {version} of plugin "{plugin}" was edited after it was applied: its checksum is {current}, that of what was applied {applied} ({place}). Restore it; or, when the tables are right as they are, run `modulacms plugin migrate adopt {plugin} {version}`.',
)

/** The database has migrations of a plugin that its folder has not. */
export const migrationMissing = defineError(
  'PLUGIN_MIGRATION_MISSING',
  409,
  'The database has migrations of plugin "{plugin}" that its folder has not: {versions}. The folder is older than the database; install the version that has them, or undo them there before: `modulacms plugin migrate down {plugin} --to <version>`.',
)

/** A migration that is to be applied is older than one that was; an error when `plugin_migrations_strict` is set. */
export const migrationOutOfOrder = defineError(
  'PLUGIN_MIGRATION_OUT_OF_ORDER',
  409,
  'Migrations {versions} of plugin "{plugin}" are older than {newest}, which is applied. Give them higher versions, or set plugin_migrations_strict to false.',
)

/** A migration that is to be undone does not say how; nothing was undone. */
export const migrationIrreversible = defineError(
  'PLUGIN_MIGRATION_IRREVERSIBLE',
  409,
  'Nothing was undone: these migrations of plugin "{plugin}" have no part "-- down": {versions}.',
)

/** Migrations are to be undone of a plugin that would apply them again. */
export const migrationInUse = defineError(
  'PLUGIN_MIGRATION_IN_USE',
  409,
  'Plugin "{plugin}" is enabled, and loading it would apply its migrations again. Run `modulacms plugin disable {plugin}` first; before it is enabled again, install a version without them.',
)

/** The folder of the plugin has no such migration. */
export const migrationNotFound = defineError(
  'PLUGIN_MIGRATION_NOT_FOUND',
  404,
  'Plugin "{plugin}" has no migration {version}. `modulacms plugin migrate status {plugin}` lists those that it has.',
)

/** `--if-table` names what cannot be a table of the plugin. */
export const migrationTableInvalid = defineError(
  'PLUGIN_MIGRATION_TABLE_INVALID',
  400,
  '"{table}" is no table of plugin "{plugin}": its tables are called plugin_{plugin}_<name>. A table with another name is renamed first.',
)
