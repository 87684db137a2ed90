/** What is told to the metrics of the life of plugins; each member may be left out. */
export interface PluginObserver {
  /** The breaker of a plugin, which was closed, has opened. */
  breakerTripped?(plugin: string): void
  /** A reload was carried out, or failed and left what served before. */
  reloaded?(plugin: string, status: 'success' | 'error'): void
  /** A load or a call failed, with the code of the failure. */
  failed?(plugin: string, type: string): void
}
