import { defineError } from '../base/errors.js'

/** No plugin of that name is known to this host, nor found in the plugin directory. */
export const pluginNotFound = defineError(
  'PLUGIN_NOT_FOUND',
  404,
  'There is no plugin "{plugin}". `modulacms plugin list` shows the plugins of the plugin directory.',
)

/** The plugin does not run, or its next generation was not put into service. */
export const pluginLoadFailed = defineError('PLUGIN_LOAD_FAILED', 500, 'Plugin "{plugin}": {reason}')

/** The plugin was disabled by an admin; only enabling starts it again. */
export const pluginDisabled = defineError(
  'PLUGIN_DISABLED',
  409,
  'Plugin "{plugin}" is disabled. Start it with `modulacms plugin enable {plugin}`.',
)

/** The configuration of the host takes the plugin out; orders of an admin do not change that. */
export const pluginSwitchedOff = defineError(
  'PLUGIN_SWITCHED_OFF',
  409,
  'Plugin "{plugin}" is switched off by the configuration: {reason}. Change it there and start the host again.',
)

/** Values of plugins are wrong; `details.problems` holds the `ValueProblem` list. The host does not start. */
export const pluginValuesInvalid = defineError(
  'PLUGIN_VALUES_INVALID',
  500,
  'The configuration of plugins is not valid: {problems}',
)

/** The configuration says that the host must not run without plugins that do not run. */
export const requiredPluginFailed = defineError(
  'REQUIRED_PLUGIN_FAILED',
  500,
  'The host does not start without these plugins, which plugins.<name>.required says:\n{plugins}',
)

/** Two folders say that they are one plugin; approvals and tables belong to a name, and nobody has said to which of them. */
export const pluginNameTaken = defineError(
  'PLUGIN_NAME_TAKEN',
  500,
  'The host does not start while folders of the plugin directory have the same plugin name:\n{twins}\nRename the plugin in the plugin_info of one of them, or take the folder out.',
)

/** Another source was loaded between looking at what a plugin asks for and approving it. */
export const pluginSourceChanged = defineError(
  'PLUGIN_SOURCE_CHANGED',
  409,
  'The source of plugin "{plugin}" is no longer the one that was looked at. Look again (`modulacms plugin diff {plugin}`), then approve.',
)

/** The plugin does not run, so that there is nothing loaded to go by. */
export const pluginNotLoaded = defineError(
  'PLUGIN_NOT_LOADED',
  409,
  'Plugin "{plugin}" does not run. `modulacms plugin info {plugin}` tells why.',
)

/** `plugin_info` breaks one or more of its rules. */
export const pluginManifestInvalid = defineError(
  'PLUGIN_MANIFEST_INVALID',
  422,
  'The plugin_info of {folder}/init.lua is invalid: {problems}',
)

/** The files of a plugin cannot be read, or are not what may be loaded. */
export const pluginSourceInvalid = defineError(
  'PLUGIN_SOURCE_INVALID',
  422,
  'Plugin folder {folder}: {reason}',
)

/** The plugin directory itself cannot be read. */
export const pluginDirectoryUnreadable = defineError(
  'PLUGIN_DIRECTORY_UNREADABLE',
  503,
  'The plugin directory cannot be read ({reason}). Check that it exists and that the host may read it.',
)

/** A folder's plugin cannot be told, so that no table can be called orphaned. */
export const orphansUnknown = defineError(
  'PLUGIN_ORPHANS_UNKNOWN',
  409,
  'Orphaned tables cannot be told while the plugins of these folders are unknown: {folders}. Repair or remove them first.',
)

/** A table that stays refers to one that was to be dropped; nothing was dropped. */
export const orphanReferenced = defineError(
  'PLUGIN_TABLE_REFERENCED',
  409,
  'Nothing was dropped: a table that is not in the list refers to one that is. Name the referring tables too.',
)

/** The host is shutting down and takes no more orders. */
export const pluginsClosing = defineError(
  'PLUGINS_CLOSING',
  503,
  'The host is shutting down. Try again when it runs.',
)
