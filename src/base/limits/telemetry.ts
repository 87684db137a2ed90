/** Limits of the logger. */
export const logLimits = {
  /** Bytes of lines that wait for a slow reader of standard error; further lines are dropped. */
  waitingBytesMax: 8 * 1024 * 1024,
  /** How long a flush waits for such a reader; what it has not taken then is left to the exit of the process. */
  flushMsMax: 2000,
} as const

/** Limits of the metrics: what plugins and callers choose must not make new series without end. */
export const metricLimits = {
  /** Series of one plugin in one metric; what would need one more is counted in a series whose labels are `other`. */
  seriesPerPluginMax: 100,
  /** Series of one counter or gauge; what would need one more is counted for the plugin `(other)`. */
  seriesMax: 5000,
  /** The same for a histogram, each series of which has a line for every bucket. */
  histogramSeriesMax: 1000,
  /** Characters of a label, e.g. the name of a table; a longer one becomes `other`. */
  labelCharactersMax: 128,
  /** Time for which a page of metrics is written before requests get their turn. */
  writeTurnMs: 3,
} as const

/** Limits of the metrics that plugins declare for themselves. Nothing over one of them breaks a call. */
export const ownMetricLimits = {
  /** Metrics that a plugin may declare; declaring one more raises. */
  metricsMax: 50,
  /** Characters of the name of a metric; a longer one raises where it is declared. */
  nameCharactersMax: 64,
  /** Bytes of its help; a longer one raises where it is declared. */
  helpBytesMax: 256,
  /** Labels of a metric; declaring more raises. */
  labelsMax: 5,
  /** Characters of the name of a label; a longer one raises where it is declared. */
  labelNameCharactersMax: 32,
  /** Bytes of the value of a label; what has a longer one is counted in the series whose labels are `other`. */
  labelBytesMax: 128,
  /** Buckets of a histogram, the one for everything left out; declaring more raises. */
  bucketsMax: 20,
  /**
   * Lines with labels of a plugin, all its metrics together: one a series, for a histogram one a bucket and three more.
   * What would need further ones is counted in the series whose labels are `other`; the value of a gauge is dropped.
   */
  linesMax: 1000,
  /** Series that one call may measure; what would need further ones is counted, or dropped, as beyond `linesMax`. */
  seriesPerCallMax: 200,
  /** Reports of an on_init that has not ended; earlier ones are dropped. A report carries what one call has measured. */
  earlyReportsMax: 16,
} as const

/** Limits of the figures of plugins that `/metrics/api` shows. */
export const poolFigureLimits = {
  /** Versions of plugins that are remembered; beyond, the one that stopped serving longest ago is forgotten. */
  workersMax: 1000,
  /** Answers whose mean time is shown. */
  answersKept: 100,
  /** Seconds over which requests per second are counted. */
  rateSeconds: 10,
} as const

/** Limits of the traces. */
export const traceLimits = {
  /** Characters of the names and values that one span attribute may hold; the rest is cut. */
  attributeCharactersMax: 256,
  /** Characters of a tracestate header that is taken over; a longer one is ignored. */
  stateCharactersMax: 512,
  /** Time that a closing host waits for its last spans to be taken by the collector. */
  closeMs: 2000,
  /** Time for one delivery to the collector with its repetitions, when OTEL_EXPORTER_OTLP_TIMEOUT does not say; then the spans are dropped. */
  exportMs: 3000,
  /** Requests whose trace can be asked for at once; those beyond are traced, but not passed on to other services. */
  requestsMax: 10_000,
} as const
