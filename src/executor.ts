import { parentPort, workerData } from 'node:worker_threads'
import { authCalls } from './capabilities/auth/call-kinds.js'
import { stageKinds } from './capabilities/gateway/call-kinds.js'
import { createHookKind } from './capabilities/hooks/call-kind.js'
import { actionReport } from './capabilities/hooks/plugin-action.js'
import { httpKind } from './capabilities/http/call-kind.js'
import { kvKind } from './capabilities/kv/call-kind.js'
import { DroppedChanges, droppedReport } from './capabilities/kv/dropped-changes.js'
import { createLogCapability } from './capabilities/log.js'
import { createCapabilities } from './capabilities/registry.js'
import type { ExecutorServices, KvServices } from './capabilities/services.js'
import { testKind } from './capabilities/test/call-kind.js'
import { testCapability } from './capabilities/test/capability.js'
import { testReport } from './capabilities/test/record.js'
import { createExecutorDatabase } from './database/executor-database.js'
import { type ExecutorComposition, type KvComposition, logReport } from './host/executor-composition.js'
import { CallCounts } from './kv/call-counts.js'
import { CommitSignal } from './kv/commit-signal.js'
import { Executor } from './sandbox/executor.js'
import type { ExecutorData } from './sandbox/protocol.js'
import { measuredReport } from './telemetry/own-metric.js'

/** Makes what the module `kv` needs; `report` sends something to the host. */
function createKvServices(
  { signal, counts, namespaceBytes }: KvComposition,
  report: (kind: string, plugin: string, data: unknown) => void,
): KvServices {
  const commits = new CommitSignal(signal)
  const calls = new CallCounts(counts)
  const dropped = new DroppedChanges((count) => report(droppedReport, count.plugin, count))
  return {
    namespaceBytes,
    committed: commits.committed,
    called: (operation, ms, ok) => calls.record({ operation, ms, ok }),
    changeDropped: (plugin, reason) => dropped.note(plugin, reason),
  }
}

// The entry of an executor thread: composes the sandbox with what its Lua modules act on.
if (parentPort !== null) {
  const data = workerData as ExecutorData
  const { databaseFile, kv, runsTests = false } = data.composition as ExecutorComposition
  const log = createLogCapability()
  let database = createExecutorDatabase({ file: databaseFile })
  // A failure ends the thread, whose end says why.
  void Executor.start<ExecutorServices>({
    port: parentPort,
    data,
    modules: [...createCapabilities(log), ...(runsTests ? [testCapability] : [])].map(({ module }) => module),
    kinds: [
      httpKind,
      createHookKind(),
      kvKind,
      ...stageKinds,
      ...authCalls,
      ...(runsTests ? [testKind] : []),
    ],
    createServices: (report) => ({
      get database() {
        return database
      },
      kv: kv && createKvServices(kv, report),
      writeLog: (line) => report(logReport, line.plugin, line),
      measured: (plugin, measured) => report(measuredReport, plugin, measured),
      recordAction: (plugin, action) => report(actionReport, plugin, action),
      recordTest: (plugin, record) => report(testReport, plugin, record),
    }),
    // The next test finds another database under the same name.
    idle: () => {
      if (!runsTests) return
      database.close()
      database = createExecutorDatabase({ file: databaseFile })
    },
    print: log.print,
  })
}
