import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrationLimits } from '../../base/limits/plugins.js'
import type { StepResult } from './migration-step.js'
import type { ProcessMessage, ProcessOrder } from './process-messages.js'
import { describeSlow } from './rehearsal.js'
import type { MigrationRunner } from './runner.js'
import { StepFailed } from './step-failed.js'

export interface ProcessRunnerOptions {
  /** File of the process: `migration-process.ts`, bundled. */
  readonly entry: URL
  /** Path of the database file. */
  readonly file: string
  /** Time that a step may hold the write lock while the host serves; `migrationLimits.durationMs` when missing. */
  readonly durationMs?: number
}

/**
 * Carries out steps in a process of their own, which ends itself when a step takes too long: no statement can be
 * interrupted in SQLite, and a thread inside one cannot be terminated. What a killed process had begun is undone by
 * SQLite, and the lock is free at once.
 */
export function createProcessRunner({
  entry,
  file,
  durationMs = migrationLimits.durationMs,
}: ProcessRunnerOptions): MigrationRunner {
  return {
    async run(order, done) {
      if (order.isStarting) {
        await runInProcess(entry, { ...order, file, durationMs: migrationLimits.startDurationMs }, done)
        return
      }
      const folder = await mkdtemp(join(tmpdir(), 'modulacms-migration-'))
      try {
        await runInProcess(entry, { ...order, file, copy: join(folder, 'copy.db'), durationMs }, done)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

function runInProcess(entry: URL, order: ProcessOrder, done: (result: StepResult) => void): Promise<void> {
  // Nothing of the environment: no credential of the host is anybody's business there.
  const child = fork(fileURLToPath(entry), [], {
    env: {},
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const talk = new Talk(order.steps[0]?.version ?? 0, order.durationMs)
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), migrationLimits.startMs)
    child.stderr?.on('data', (data: Buffer) => talk.complain(data.toString()))
    child.on('message', (message: ProcessMessage) => {
      clearTimeout(timer)
      if (message.kind === 'ready') send(child, order)
      else if (message.kind === 'done') done(message.result)
      else talk.note(message)
    })
    child.once('error', (error) => talk.complain(error.message))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const failure = talk.end(code, signal)
      if (failure === undefined) resolve()
      else reject(failure)
    })
  })
}

function send(child: ChildProcess, order: ProcessOrder): void {
  // A process that has ended meanwhile says so by itself.
  child.send(order, () => undefined)
}

/** What one process has said so far. */
class Talk {
  #version: number
  readonly #durationMs: number
  #hasBegun = false
  #isFinished = false
  #failure: StepFailed | undefined
  #complaint = ''

  constructor(firstVersion: number, durationMs: number) {
    this.#version = firstVersion
    this.#durationMs = durationMs
  }

  note(message: ProcessMessage): void {
    if (message.kind === 'begun') {
      this.#version = message.version
      this.#hasBegun = true
    } else if (message.kind === 'failed') this.#failure = new StepFailed(message.version, message.reason)
    else if (message.kind === 'finished') this.#isFinished = true
  }

  complain(text: string): void {
    this.#complaint = `${this.#complaint}${text}`.slice(-500)
  }

  /** What went wrong, when the process has ended; undefined when nothing did. */
  end(code: number | null, signal: string | null): StepFailed | undefined {
    if (this.#failure !== undefined || this.#isFinished) return this.#failure
    if (signal === 'SIGKILL' && this.#hasBegun) {
      return new StepFailed(this.#version, describeSlow(this.#durationMs))
    }
    const end = signal ?? `exit code ${code}`
    return new StepFailed(this.#version, `its process ended unexpectedly (${end}): ${this.#complaint.trim()}`)
  }
}
