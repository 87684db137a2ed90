import { parentPort, workerData } from 'node:worker_threads'
import { Executor } from '../../src/sandbox/executor.js'
import type { ExecutorData } from '../../src/sandbox/protocol.js'
import { createProbeServices, jsonKind, type ProbeServices, probeKind, probeModule } from './probe-module.js'

// The entry of an executor thread with the probe module instead of the product's capabilities.
if (parentPort !== null) {
  const data = workerData as ExecutorData
  await Executor.start<ProbeServices>({
    port: parentPort,
    data,
    modules: [probeModule],
    kinds: [probeKind, jsonKind],
    createServices: () => createProbeServices(data.composition as SharedArrayBuffer),
    print: () => undefined,
  })
}
