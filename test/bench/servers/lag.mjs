// Preloaded into the product (`node --import`): measures how late the timers of its HTTP thread fire, and tells
// the bench over IPC. Worker threads inherit the preload, so they are told apart first.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const resolutionMs = 2
const nanosecondsPerMs = 1e6

if (isMainThread && process.send) {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  process.on('message', (message) => {
    if (message.lag === 'reset') histogram.reset()
    process.send({
      p50Ms: lateness(histogram.percentile(50)),
      p99Ms: lateness(histogram.percentile(99)),
      maxMs: lateness(histogram.max),
    })
  })
  // The product must end when it is told to, whether or not the bench still listens.
  process.channel.unref()
}

/** The histogram holds times between two timers; what exceeds the interval is the lag. */
function lateness(nanoseconds) {
  return Math.max(0, nanoseconds / nanosecondsPerMs - resolutionMs)
}
