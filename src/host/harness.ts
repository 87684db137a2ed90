import type { HookRunner } from '../content/hook-runner.js'
import type { Authenticator } from '../identity/authenticator.js'
import type { CommitSignal } from '../kv/commit-signal.js'
import type { QueueStore } from '../kv/queue-store.js'
import type { HookAdministration } from '../plugins/hooks/hook-administration.js'
import type { PluginDirectory } from '../plugins/plugin-directory.js'
import type { Sandbox } from '../sandbox/generation.js'
import type { ExecutorReport } from '../sandbox/protocol.js'
import type { SandboxOptions } from '../sandbox/thread-sandbox.js'
import type { HostAnswers } from './answers.js'

/** The parts of a host that a test acts on. */
export interface HarnessParts {
  readonly answers: HostAnswers
  readonly directory: PluginDirectory
  readonly hooks: HookRunner & Pick<HookAdministration, 'deliveries'>
  /** Where messages wait for functions of plugins. */
  readonly queues: QueueStore
  /** The time of the key-value store. */
  readonly now: () => number
}

/** What a host that runs tests of plugins does differently; see `plugin-tests.ts`. */
export interface HostHarness {
  /** By which the executor threads, which outlive the host, tell of their commits. */
  readonly commits: CommitSignal
  /** Gives the sandbox, in which there is the module `test`. */
  createSandbox(options: SandboxOptions): Sandbox
  /** Gets the parts of the host that a test acts on, before plugins are loaded. */
  attach(parts: HarnessParts): void
  /** Knows more callers than the host's own authenticator does. */
  authenticator(own: Authenticator): Authenticator
  /** Takes what executors report of tests; false when it is something else. */
  report(report: ExecutorReport): boolean
}
