/** A function of a plugin that is to be told of changes. */
export interface NewTrigger {
  /** Whose changes: `plugin:<name>` or `shared:<name>`. */
  readonly namespace: string
  /** Of the plugin's own namespace, where the changes wait. */
  readonly queue: string
  /** Encoded; the key itself is meant too. */
  readonly prefix: Buffer
}

/**
 * What keeps which plugins are told of which changes: from the next commit of any connection on. As `KvStore` it
 * answers at once, and may throw SQLITE_BUSY having done nothing.
 */
export interface TriggerStore {
  /** Makes these the triggers of a plugin; writes nothing where they are. */
  replaceTriggers(plugin: string, triggers: readonly NewTrigger[], nowMs: number): void
  /** Names of the plugins that have triggers. */
  triggeredPlugins(): readonly string[]
  /**
   * Deletes messages that wait in queues of the host which nothing reads any more, up to
   * `kvLimits.deadLettersSliceMax` of them.
   *
   * @param namespace A plugin's own.
   * @param queues Those that are read.
   * @returns How many there were; call it again until that is 0.
   */
  dropUnreadChanges(namespace: string, queues: readonly string[]): number
  /** The namespaces in which messages wait or are being worked on. */
  busyNamespaces(): readonly string[]
}
