/** Limits of the configuration file. */
export const configLimits = {
  /** Bytes of a configuration file; a larger one is not read and the host does not start. */
  fileBytesMax: 1024 * 1024,
} as const

/** Limits of the configuration of plugins: of the schema that a plugin declares, and of the values that it gets. */
export const pluginConfigLimits = {
  /** Bytes of `config_schema` as JSON; a plugin with a larger one is not loaded. */
  schemaBytesMax: 64 * 1024,
  /** Schemas inside `config_schema`, each `$ref` counted with all that it stands for; with more the plugin is not loaded. */
  schemaNodesMax: 1000,
  /** Schemas inside each other; deeper and the plugin is not loaded. */
  schemaDepthMax: 16,
  /** Values of one `enum`; with more the plugin is not loaded. */
  schemaEnumMax: 200,
  /** Steps that matching one `pattern` may need at the most; a plugin with a costlier one is not loaded. */
  patternStepsMax: 1_000_000,
  /** Characters of a text for which the schema has a `pattern`; a longer one is refused. */
  patternTextCharactersMax: 1000,
  /** Bytes of the values of one plugin as JSON; with more its configuration is refused. */
  valuesBytesMax: 256 * 1024,
  /** Wrong values of one plugin that are named; further ones are only counted. */
  problemsMax: 50,
} as const

/** Limits of taking secrets out of log lines and error texts. */
export const redactorLimits = {
  /** Characters of the shortest secret that is replaced; shorter ones occur by chance, and stay. */
  charactersMin: 8,
} as const
