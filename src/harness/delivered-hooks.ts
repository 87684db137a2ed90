import { setTimeout as pause } from 'node:timers/promises'
import { testLimits } from '../base/limits/harness.js'
import type { HookRunner } from '../content/hook-runner.js'
import type { HookAdministration } from '../plugins/hooks/hook-administration.js'
import type { TestHooks } from './hook-firing.js'

/** What stores the deliveries of a write and lets them go. */
export type Deliver = TestHooks['deliver']

/** Makes the hooks of a host, with its outbox, what tests use. */
export function createTestHooks(
  engine: HookRunner & Pick<HookAdministration, 'deliveries'>,
  deliver: Deliver,
): TestHooks {
  return {
    runner: engine,
    deliver,
    async idle() {
      for (;;) {
        const { deliveries } = await engine.deliveries({})
        // A delivery that has run well is gone; one that failed stays, with its tries.
        if (deliveries.every(({ state, attempts }) => state !== 'running' && attempts > 0)) {
          return deliveries.map(({ error }) => error)
        }
        await pause(testLimits.waitPollMs)
      }
    },
  }
}
