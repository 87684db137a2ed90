import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino'
import { logLimits } from '../base/limits/telemetry.js'
import type { Redactor } from '../base/redactor.js'
import { formatLogLine } from './pretty-line.js'

/** A structured logger: `logger.info({ plugin }, 'message')`, `logger.child({ request_id })`. */
export type Logger = PinoLogger

/** How a logger is made. */
export interface LoggerOptions {
  /** Least important level that is written; `silent` writes nothing. */
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** `json` writes one object a line, `pretty` one text line for people. */
  readonly format: 'json' | 'pretty'
  /** Takes finished lines, each with its line break; standard error when absent. */
  readonly destination?: DestinationStream
  /** Takes secrets out of every line. */
  readonly redactor?: Pick<Redactor, 'redact'>
}

/** What pino's own destinations offer beyond writing. */
interface Flushable {
  flush(done: (error?: Error) => void): void
  flushSync(): void
}

/** Headers that carry credentials, wherever request or response headers are logged. */
const secretHeaders = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x-session-id',
  'x-csrf-token',
]
const headerHolders = ['headers', 'req.headers', 'res.headers', 'request.headers', 'response.headers']

/**
 * Creates a logger. Lines for standard error are written without blocking; when its reader is slower than
 * `logLimits.waitingBytesMax` allows, lines are dropped rather than kept in memory. What waits is written when the
 * process exits; the piece that is being written at that moment may come out among it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const sink =
    options.destination ??
    // A flush waits for the line that is being written only when lines may be held back; one byte holds none back.
    destination({ dest: 2, sync: false, minLength: 1, maxLength: logLimits.waitingBytesMax })
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths(), censor: '[redacted]' },
  }
  const { redactor } = options
  const safe = redactor === undefined ? sink : changedSink(sink, (line) => redactor.redact(line))
  return pino(settings, options.format === 'pretty' ? changedSink(safe, formatLogLine) : safe)
}

/**
 * Waits until the lines of a logger have been handed to the operating system, for `logLimits.flushMsMax` at most. Never
 * rejects: that lines cannot be written could only be said in a further line.
 */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, logLimits.flushMsMax)
    // Pipes and terminals cannot be synchronised with a disk, which counts as an error here.
    logger.flush(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function secretPaths(): string[] {
  return headerHolders.flatMap((holder) => secretHeaders.map((header) => `${holder}["${header}"]`))
}

/** Pino finds `flush` and `flushSync` on what it writes to, so that the wrapper has to pass them on. */
function changedSink(
  sink: DestinationStream & Partial<Flushable>,
  change: (line: string) => string,
): DestinationStream & Flushable {
  return {
    write: (line) => sink.write(change(line)),
    flush: (done) => (sink.flush ? sink.flush(done) : done()),
    flushSync: () => sink.flushSync?.(),
  }
}
