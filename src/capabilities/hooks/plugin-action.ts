/** Kind of the reports that carry what plugins record. */
export const actionReport = 'action'

/** An action of a plugin on its way to the host. */
export interface PluginAction {
  /** As the plugin calls it; the host puts the name of the plugin in front. */
  readonly action: string
  /** JSON of an object with the members of `actionFields` in recorded-action.ts. */
  readonly fields: string
  readonly requestId: string
}
