import { parentPort, workerData } from 'node:worker_threads'
import { createHookKind } from './capabilities/hooks/call-kind.js'
import { httpKind } from './capabilities/http/call-kind.js'
import { createLogCapability } from './capabilities/log.js'
import { createCapabilities } from './capabilities/registry.js'
import type { ExecutorServices } from './capabilities/services.js'
import { createExecutorDatabase } from './database/executor-database.js'
import { Executor } from './sandbox/executor.js'
import type { ExecutorData } from './sandbox/protocol.js'

/** What the host tells its executor threads; see `SandboxOptions.composition`. */
export interface ExecutorComposition {
  /** Path of the SQLite file. */
  readonly databaseFile: string
}

/** Kind of the reports that carry a log line of a plugin. */
export const logReport = 'log'

// The entry of an executor thread: composes the sandbox with what its Lua modules act on.
if (parentPort !== null) {
  const data = workerData as ExecutorData
  const { databaseFile } = data.composition as ExecutorComposition
  const log = createLogCapability()
  const database = createExecutorDatabase({ file: databaseFile })
  await Executor.start<ExecutorServices>({
    port: parentPort,
    data,
    modules: createCapabilities(log).map(({ module }) => module),
    kinds: [httpKind, createHookKind()],
    createServices: (report) => ({
      database,
      writeLog: (line) => report(logReport, line.plugin, line),
    }),
    print: log.print,
  })
}
