/** Limits of one Lua VM and of what crosses its border. */
export const vmLimits = {
  /** Lua instructions between two looks at the budgets; a smaller step costs speed, a larger one precision. */
  instructionsPerTick: 1000,
  /** Nesting of a table that crosses the border in either direction; deeper raises "nested too deep". */
  marshalDepthMax: 64,
  /** Values in one crossing; more raises "too many values". */
  marshalNodesMax: 250_000,
  /** Bytes of all strings in one crossing; more raises "too large". */
  marshalBytesMax: 16 * 1024 * 1024,
  /** Values that may be passed to one host function; more raises "too many arguments". */
  hostArgumentsMax: 200,
  /** Refused heap growths in one call before the memory stop: plugin code can catch the first failures only. */
  memoryRefusalsMax: 8,
  /** Calls after which a VM is rebuilt, so that a slow leak cannot grow without end. */
  callsPerVmMax: 100_000,
  /** Bytes of a string that `string.rep` may make; a VM's memory cap lowers it. */
  stringBytesMax: 16 * 1024 * 1024,
  /** Elements that one call of a table function may touch; more raises an error that names the function. */
  tableElementsMax: 10_000_000,
  /** Steps that a pattern may need at worst before the interruptible matcher takes over from the native one. */
  patternStepsMax: 2_000_000,
  /** Bytes of one `print`; the rest is cut. */
  printBytesMax: 8 * 1024,
  /** Findings about one generation that are kept for operators; further ones are only logged. */
  findingsMax: 200,
  /** Linear memory that a VM starts with, in pages of 64 KiB: its C stack, its static data and a small heap. */
  initialPages: 32,
  /** Smallest memory cap that a VM can start with. */
  memoryBytesMin: 1024 * 1024,
} as const

/** Limits of the executor threads and of their supervisor. */
export const executorLimits = {
  /** A call that runs longer has overrun: its executor gets no more calls and gives back those not started. */
  overrunMs: 20,
  /** A thread that builds a VM for longer than this is set aside like one that is at a long call. */
  buildOverrunMs: 150,
  /** Time past a call's deadline after which its executor is terminated. */
  hardStopGraceMs: 250,
  /** The same for a thread whose priority is lowered and cannot be restored: it gets few turns to stop by itself. */
  loweredGraceMs: 1000,
  /** Time between two looks of the supervisor at the executors while calls are in flight. */
  supervisorTickMs: 10,
  /** Time a call may wait for a VM before it is answered with POOL_EXHAUSTED. */
  checkoutWaitMs: 100,
  /** Time a call may wait altogether when its executor builds a VM, or is at one call or gets no turn for long. */
  stallWaitMs: 2000,
  /** Time after work of the host that calls had to wait for, e.g. a migration, in which they are still given time. */
  afterHoldMs: 500,
  /** Time that the first run of an init.lua may wait for a thread, e.g. while the host starts. */
  loadWaitMs: 10_000,
  /** Pause before VMs are built in reserve, so that those that are needed come first. */
  reservePauseMs: 400,
  /** Calls that one executor can have in flight; the size of its claim table. */
  claimsMax: 1024,
  /** An executor whose oldest call has waited for less gets the next one too, so that calls share wake-ups. */
  queueMs: 4,
  /** An executor that has been at one call for longer than this is passed over when another is free. */
  busyMs: 2,
  /** Without the right to restore priorities, a call must have overrun by this much before its thread is lowered. */
  lowerUnprivilegedMs: 100,
  /** First pause before a thread is started again after one that could not start; doubles with each failure. */
  restartPauseMs: 100,
  /** Longest such pause. */
  restartPauseMsMax: 10_000,
  /** Threads in a row that could not start before the sandbox counts as broken. */
  startFailuresMax: 3,
  /** Warm threads without work that are kept. */
  sparesMax: 4,
  /** JavaScript heap of one thread, which holds what crosses and no Lua; more and the thread is lost. */
  heapMegabytesMax: 256,
  /** The part of it for short-lived objects: a larger one keeps garbage of idle threads resident. */
  youngHeapMegabytesMax: 12,
  /** Above this part of its time the HTTP thread counts as busy, and calls that have overrun are slowed down. */
  hostBusyShare: 0.3,
  /** Time over which that part is measured. */
  hostLoadWindowMs: 50,
  /** How long a slowed call runs before it rests. */
  paceRunMs: 1,
  /** Part of one core that all slowed calls get together. */
  paceShare: 0.25,
  /** The longest rest of a slowed call. */
  paceRestMsMax: 64,
  /** Calls that a plugin may overrun with before it can become suspect. */
  suspectOverruns: 1,
  /** Part of its calls that must overrun for it. */
  suspectShare: 0.05,
  /** Time in which what a plugin has done loses half of its weight. */
  reputationHalfLifeMs: 10_000,
  /** Time for which calls avoid the executor that suspect plugins were sent to last. */
  laneMs: 1000,
  /** Calls that may go on beyond their overrun at the same time; above that the longest are ended. */
  overrunsMax: 12,
  /** When executors are short and calls wait, one that has run for longer than this is ended. */
  evictAfterMs: 50,
  /** Executor threads that exist at once, spares and retiring ones included; those of plugins in quarantine come on top. */
  threadsMax: 24,
  /** Reports (a schema that drifted, a header left out) of one generation in a second and in one executor; more are dropped. */
  reportsPerSecondMax: 200,
  /** Time a draining generation waits for its calls before it is closed over their heads. */
  drainMs: 10_000,
} as const
