import { testLimits } from '../base/limits/harness.js'
import type { RequestMock, SeenRequest } from '../capabilities/test/topics.js'
import { testMisuse } from './errors.js'

/** An outbound request as far as mocks look at it. */
export type OutgoingRequest = Omit<SeenRequest, 'mocked'>

/** Answers the outbound requests of one test in place of the network, and remembers them. */
export class RequestMocks {
  readonly #mocks: RequestMock[] = []
  readonly #seen: SeenRequest[] = []

  /** Every request that was made, the first one first. */
  get seen(): readonly SeenRequest[] {
    return this.#seen
  }

  /** @throws HostError TEST_MISUSE when there are too many, or the target has a scheme or a query. */
  add(mock: RequestMock): void {
    if (this.#mocks.length >= testLimits.mocksMax) {
      throw testMisuse({ reason: `a test can have ${testLimits.mocksMax} mocks at the most` })
    }
    if (mock.target.includes('://') || mock.target.includes('?')) {
      const reason = `the target of a mock is host and path, e.g. "api.example.com/rates"; got "${mock.target}"`
      throw testMisuse({ reason })
    }
    this.#mocks.push({ ...mock, target: canonical(mock.target) })
  }

  /** Gives the first mock that fits; undefined when there is none, and then nothing must be sent. */
  answer(request: OutgoingRequest): RequestMock | undefined {
    const target = targetOf(request.url)
    const method = request.method.toUpperCase()
    const mock = this.#mocks.find((each) => each.method === method && each.target === target)
    if (this.#seen.length >= testLimits.requestsMax) this.#seen.shift()
    this.#seen.push({ ...request, mocked: mock !== undefined })
    return mock
  }
}

/** Host and path; the host in lower case, as names of hosts are the same in both. */
function targetOf(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return canonical(`${host}${pathname}`)
  } catch {
    return url
  }
}

function canonical(target: string): string {
  const slash = target.indexOf('/')
  return slash < 0 ? `${target.toLowerCase()}/` : target.slice(0, slash).toLowerCase() + target.slice(slash)
}
