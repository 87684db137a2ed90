import { randomUUID } from 'node:crypto'
import type { Authenticator } from '../auth/authenticator.js'
import { Deferred } from '../base/deferred.js'
import { testLimits } from '../base/limits/harness.js'
import { type CheckQuestion, checkTopic } from '../capabilities/auth/check-function.js'
import type { PluginLogLine } from '../capabilities/services.js'
import { encodeTestCall, type TestCall, testKindName } from '../capabilities/test/call-kind.js'
import { type TestRecord, testReport } from '../capabilities/test/record.js'
import {
  type AskedAuthorizer,
  type CheckMock,
  type FiredHook,
  type RequestMock,
  type SeenLine,
  type TestRequest,
  type TestResponse,
  testTopics,
} from '../capabilities/test/topics.js'
import type { PluginDirectory } from '../plugins/plugin-directory.js'
import type { CallOutcome, Generation, HostAsk } from '../sandbox/generation.js'
import type { CoveredLines } from '../sandbox/line-coverage.js'
import type { ExecutorReport } from '../sandbox/protocol.js'
import { testMisuse } from './errors.js'
import { fireHook, type TestHooks } from './hook-firing.js'
import { RequestMocks } from './request-mocks.js'
import { askAuthorizer, CheckMocks } from './test-access.js'
import { TestCallers, viewer } from './test-callers.js'
import type { TestFile } from './test-files.js'

/** Who answers what plugins ask of a host, as far as a session needs it. */
export interface AnswerTable {
  provide(topic: string, answer: (ask: HostAsk) => Promise<unknown>): void
}

/** What a session needs of its host once that runs. */
export interface SessionHost {
  /** Sends a request through the routes, without a socket. */
  send(request: TestRequest, credential: string | undefined): Promise<TestResponse>
  readonly adminToken: string
  readonly hooks: TestHooks
  /** Resolves when the functions for messages have been called with all that is due; gives how many are left. */
  messagesIdle(): Promise<number>
}

/** A test of a file: its name, and the line on which its function begins. */
export interface ListedTest {
  readonly name: string
  readonly line: number
}

/** What one run of a test file in a session came to. */
export interface SessionRun {
  /** All tests of the file; undefined when it could not be loaded. */
  readonly tests: readonly ListedTest[] | undefined
  /** The one that ran. */
  readonly chosen: ListedTest | undefined
  readonly record: TestRecord
  readonly outcome: CallOutcome
  readonly durationMs: number
}

/**
 * The host's side of one test: answers what the module `test` asks, and runs one test of a file in the plugin that
 * the host serves. Lives as long as its host.
 */
export class TestSession {
  readonly mocks = new RequestMocks()
  readonly #plugin: string
  readonly #callers = new TestCallers()
  readonly #checks = new CheckMocks()
  #answers: AnswerTable | undefined
  readonly #lines: SeenLine[] = []
  readonly #covered: CoveredLines[] = []
  #directory: PluginDirectory | undefined
  #host: SessionHost | undefined
  #record: TestRecord = { assertions: 0, failures: [] }
  #begin: (tests: readonly ListedTest[]) => string | undefined = () => undefined
  #held = new Deferred<void>()
  #released = new Deferred<void>()

  /** @param plugin Name of the plugin that is tested. */
  constructor(plugin: string) {
    this.#plugin = plugin
  }

  /** Lines of the plugin that have run, as its VMs told. */
  get covered(): readonly CoveredLines[] {
    return this.#covered
  }

  /** To be called while the host is put together. */
  attach({
    answers,
    directory,
  }: {
    readonly answers: AnswerTable
    readonly directory: PluginDirectory
  }): void {
    this.#directory = directory
    this.#answers = answers
    answers.provide(testTopics.begin, async ({ payload }) =>
      this.#begin(listOf(payload as readonly string[])),
    )
    answers.provide(testTopics.hold, () => this.#hold())
    answers.provide(testTopics.request, ({ payload }) => this.#request(payload as TestRequest))
    answers.provide(testTopics.fireHook, ({ payload, requestId }) =>
      fireHook(this.#running().hooks, payload as FiredHook, requestId),
    )
    answers.provide(testTopics.waitHooks, () => this.#running().hooks.idle())
    answers.provide(testTopics.waitMessages, () => this.#running().messagesIdle())
    answers.provide(testTopics.mockRequest, async ({ payload }) => this.mocks.add(payload as RequestMock))
    answers.provide(testTopics.mockCheck, async ({ payload }) => this.#checks.add(payload as CheckMock))
    answers.provide(testTopics.authorize, ({ payload }) =>
      askAuthorizer(this.#generation(), payload as AskedAuthorizer),
    )
    answers.provide(testTopics.requests, async () => this.mocks.seen)
    answers.provide(testTopics.log, async () => this.#lines)
  }

  /** To be called when the host runs. */
  connect(host: SessionHost): void {
    this.#host = host
    // In the place of rules of the configuration, which a test has none of.
    this.#answers?.provide(checkTopic, async ({ payload }) => this.#checks.answer(payload as CheckQuestion))
  }

  /** Knows those who send the requests of the tests. */
  get authenticator(): Authenticator {
    return this.#callers.authenticator
  }

  /** Takes what executors report; true when it was meant for tests only. */
  report({ kind, plugin, data }: ExecutorReport): boolean {
    if (kind === 'log' && plugin === this.#plugin) this.#keepLine(data as PluginLogLine)
    if (kind === testReport) this.#record = data as TestRecord
    if (kind === 'coverage' && plugin === this.#plugin) this.#covered.push(data as CoveredLines)
    return kind === testReport || kind === 'coverage'
  }

  /**
   * Loads a test file and runs one of its tests.
   *
   * @param choose Chooses a test by its name among those of the file; undefined runs none.
   * @param timeoutMs Time for the file, setup, the test and teardown together.
   */
  async run(
    file: TestFile,
    choose: (tests: readonly ListedTest[]) => string | undefined,
    timeoutMs: number,
  ): Promise<SessionRun> {
    await this.#buildTwo()
    let tests: readonly ListedTest[] | undefined
    let chosen: ListedTest | undefined
    let startedMs = performance.now()
    this.#begin = (all) => {
      // A file cannot ask twice: what it lists first is what counts.
      if (tests !== undefined) throw testMisuse({ reason: 'the test has begun already' })
      tests = all
      const name = choose(all)
      chosen = all.find((each) => each.name === name)
      startedMs = performance.now()
      return name
    }
    const chunkName = `${this.#plugin}/${file.path}`
    const outcome = await this.#call({ act: 'run', chunkName, text: file.text }, 'test', timeoutMs)
    const durationMs = performance.now() - startedMs
    return { tests, chosen, record: this.#record, outcome, durationMs }
  }

  /** A test occupies one VM; its requests and hooks need another, which has to be there when they come. */
  async #buildTwo(): Promise<void> {
    this.#held = new Deferred()
    this.#released = new Deferred()
    const holding = this.#call({ act: 'hold' }, 'init')
    await Promise.race([this.#held.promise, holding])
    await this.#call({ act: 'idle' }, 'init')
    this.#released.resolve()
    await holding
  }

  #hold(): Promise<void> {
    this.#held.resolve()
    return this.#released.promise
  }

  #call(call: TestCall, phase: 'test' | 'init', timeoutMs?: number): Promise<CallOutcome> {
    return this.#generation().call({
      kind: testKindName,
      phase,
      payload: encodeTestCall(call),
      body: '',
      requestId: `test-${randomUUID()}`,
      reserved: true,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
  }

  #generation(): Generation {
    const generation = this.#directory?.find(this.#plugin)?.generation
    if (generation === undefined) throw new Error(`the plugin ${this.#plugin} is not loaded`)
    return generation
  }

  async #request(request: TestRequest): Promise<TestResponse> {
    if (!request.path.startsWith('/')) {
      const reason = `test.request: the path must start with "/", e.g. "/api/v1/plugins/${this.#plugin}/..."`
      throw testMisuse({ reason })
    }
    const host = this.#running()
    // A VM may have been stopped by the request before; in a test nobody is there to try again.
    await this.#call({ act: 'idle' }, 'init')
    const { role, identity = role === 'viewer' ? viewer : undefined } = request
    if (identity !== undefined) return this.#callers.sendAs(identity, (token) => host.send(request, token))
    return host.send(request, role === 'admin' ? host.adminToken : undefined)
  }

  #running(): SessionHost {
    if (this.#host === undefined) throw new Error('the host of the test does not run yet')
    return this.#host
  }

  #keepLine({ level, message, fields }: PluginLogLine): void {
    if (this.#lines.length >= testLimits.logLinesMax) this.#lines.shift()
    this.#lines.push({ level, message, fields })
  }
}

/** Reads the lines `name line` that a file lists. */
function listOf(lines: readonly string[]): readonly ListedTest[] {
  return lines.map((each) => {
    const [name = '', line = '0'] = each.split(' ')
    return { name, line: Number(line) }
  })
}
