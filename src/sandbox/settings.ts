/** What an operator may change for one generation. */
export interface GenerationSettings {
  readonly vms: number
  readonly reservedVms: number
  readonly memoryBytesMax: number
  readonly instructionsMax: number
  readonly timeoutMs: number
  readonly operationsMax: number
  /** Bytes that the plugin may store in the database. */
  readonly storageBytesMax: number
  /** Limits that single capabilities read, e.g. `routesMax`, `responseBytesMax`. */
  readonly extra: Readonly<Record<string, number>>
  /** What operators set for the plugin, for its module `config`; JSON. Undefined while it is not known whose code runs. */
  readonly configuration?: Readonly<Record<string, unknown>> | undefined
  /** The secrets that the plugin may read, by name; null for one that has no value. */
  readonly secrets?: Readonly<Record<string, string | null>> | undefined
}
