/** Limits of one generation that an operator may change. */
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
}
