import type { CoreDatabase } from '../../database/database.js'
import type { Stage } from '../stage.js'
import { MetricsHistory } from './history.js'
import { readSnapshot } from './overview.js'
import { RequestLog } from './request-log.js'
import { type SnapshotLog, SnapshotStreams } from './snapshots.js'
import type { GatewayViews } from './views.js'

export interface MonitorOptions {
  /** The other parts of the gateway. */
  readonly views: GatewayViews
  readonly database: Pick<CoreDatabase, 'withBusyRetry' | 'transaction'>
  /** Requests that the log keeps; `monitorLimits.logSize` when missing, none when 0. */
  readonly logSize?: number
  /** False for no history, which there is only with a rate limit anyway. */
  readonly keepsHistory: boolean
  readonly log: SnapshotLog
}

/** What operators watch the gateway with. */
export interface Monitor {
  readonly stage: Stage
  readonly views: GatewayViews
  readonly requestLog: RequestLog
  readonly history: MetricsHistory
  readonly streams: SnapshotStreams
  /** Reads the history of earlier and begins to write it. */
  start(): Promise<void>
  /** Ends streams and history; the database must still be open. */
  close(): Promise<void>
}

export function createMonitor({ views, database, logSize, keepsHistory, log }: MonitorOptions): Monitor {
  const requestLog = new RequestLog(logSize === undefined ? {} : { size: logSize })
  const { limiter } = views
  const read = limiter !== undefined && keepsHistory ? () => limiter.metrics() : undefined
  const history = new MetricsHistory({ database, read, log })
  const streams = new SnapshotStreams({ snapshot: () => readSnapshot(views, requestLog), log })
  return {
    stage: requestLog.stage,
    views,
    requestLog,
    history,
    streams,
    start: () => history.start(),
    async close() {
      streams.close()
      await history.close()
    },
  }
}
