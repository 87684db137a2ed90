/** Limits of hooks and of the deliveries of after-hooks. */
export const hookLimits = {
  /** Hooks that one plugin may register; one more is refused at registration. */
  registrationsMax: 50,
  /** Bytes of the table name of a hook; a longer one is refused at registration. */
  tableBytesMax: 128,
  /** The smallest and the first priority. */
  priorityMin: 1,
  /** The largest and the last priority; what is beyond counts as this. */
  priorityMax: 1000,
  /** Priority of a hook that names none. */
  priorityDefault: 100,
  /** Bytes of a row on its way to hooks, the old one and its JSON included; a larger one is refused with 413. */
  rowBytesMax: 4 * 1024 * 1024,
  /** Values in such a row, for the same reason: many small ones take more memory in a VM than their text. */
  rowValuesMax: 50_000,
  /** Nesting of such a row. */
  rowDepthMax: 60,
  /** Bytes of what a before-hook sets, as JSON; more is an error of the hook. */
  setBytesMax: 1024 * 1024,
  /** Bytes of the state that read hooks hand on, as JSON; more is an error of the hook. */
  stateBytesMax: 64 * 1024,
  /** Bytes of the message of a refusal; the rest is cut. */
  denyBytesMax: 500,
  /** Hooks that may have led to a write; one more is refused, so that hooks which set off each other come to an end. */
  depthMax: 8,
  /** Times that a chain of hooks starts over because a plugin was reloaded under it; then HOOK_UNAVAILABLE. */
  chainAttemptsMax: 3,
  /** Failed tries of one delivery of an after-hook; then it is dead and waits for an operator. */
  deliveryAttemptsMax: 10,
  /** Pause before the second try of a delivery; doubled at each further one, half of it random. */
  deliveryPauseMs: 1000,
  /** Longest pause between two tries. */
  deliveryPauseMsMax: 10 * 60 * 1000,
  /** Pause of a delivery that could not be tried: no VM was free, or the plugin was just reloaded. */
  deliveryBusyPauseMs: 200,
  /** Pause of a delivery whose hook is not approved at the moment. */
  deliveryRefusedPauseMs: 30_000,
  /** Time beyond its own that a delivery belongs to the process that took it; then another may take it. */
  deliveryLeaseMs: 5000,
  /** Age at which a delivery that could not be made is dead, e.g. because its plugin is disabled. */
  deliveryAgeMsMax: 7 * 24 * 60 * 60 * 1000,
  /** Age at which a dead delivery is forgotten. */
  deadAgeMsMax: 30 * 24 * 60 * 60 * 1000,
  /** Deliveries of one plugin that wait; while there are so many, further ones are dropped with a warning. */
  deliveriesWaitingMax: 100_000,
  /** Dead deliveries of one plugin that are kept; the oldest are forgotten. */
  deliveriesDeadMax: 1000,
  /** Time between two looks for deliveries when nothing says that there are any. */
  deliveryPollMs: 1000,
  /** Time between two sweeps over deliveries that are too old. */
  deliverySweepMs: 60_000,
  /** Rows that one statement of a sweep changes. */
  deliverySweepRowsMax: 100,
  /** Characters of the error that is kept of a failed delivery. */
  deliveryErrorCharactersMax: 1000,
  /** Recorded actions that wait to be written to the outbox; one more is lost, with a line in the log. */
  actionsWaitingMax: 10_000,
  /** How many of those that wait may be of plugins, so that none of them drives out what admins have done. */
  pluginActionsWaitingMax: 5000,
  /** Deliveries of one plugin that wait; from then on what plugins record is dropped, and what admins do still has room. */
  pluginActionsOwedMax: 10_000,
  /** Recorded actions that are written in one transaction. */
  actionsPerWrite: 100,
  /** Tries to write recorded actions; when all fail, they are lost, with a line in the log. */
  actionAttemptsMax: 5,
  /** Pause before the second of these tries; doubled at each further one. */
  actionPauseMs: 500,
  /** Bytes of the details of an action, as JSON; longer ones are left out, and their number is told. */
  actionDetailsBytesMax: 32 * 1024,
  /** Characters of each other text of an action; the rest is cut. */
  actionTextCharactersMax: 512,
  /** Deliveries in one page of their list. */
  deliveryPageMax: 100,
} as const
