import type {
  ListedPolicy,
  PolicyContext,
  PolicyDecision,
  PolicyDocument,
  PolicyExplanation,
  PolicyPage,
  PolicyStatus,
  PolicyVersion,
} from './policy-types.js'
import { queryOf } from './query.js'
import type { Transport } from './transport.js'

/** Which version of a policy a change is made for. */
export interface PolicyChangeOptions {
  /** Another one rejects with `POLICY_VERSION_CONFLICT`; 0 where there must be none yet, any when missing. */
  readonly version?: number | undefined
}

/** Operations on policies. All reject with `ClientError`; an unknown id with code `POLICY_NOT_FOUND`. */
export interface PolicyClient {
  status(): Promise<PolicyStatus>
  /** A page in the order in which policies are looked at. */
  page(query?: { readonly limit?: number; readonly cursor?: string | undefined }): Promise<PolicyPage>
  /** All of them, page by page. */
  list(): Promise<readonly ListedPolicy[]>
  get(id: string): Promise<ListedPolicy>
  /** Adds a policy; `POLICY_INVALID` names all that is wrong with it. */
  create(policy: PolicyDocument): Promise<ListedPolicy>
  /** Puts a policy in the place of the one with this id, or adds it; `POLICY_STATIC` for one of the configuration. */
  put(
    id: string,
    policy: Omit<PolicyDocument, 'id'> & { readonly id?: string },
    options?: PolicyChangeOptions,
  ): Promise<ListedPolicy>
  delete(id: string, options?: PolicyChangeOptions): Promise<void>
  /** The versions that are kept, the newest first. */
  history(id: string): Promise<readonly PolicyVersion[]>
  /** Decides about something, and does nothing. */
  evaluate(context: PolicyContext): Promise<PolicyDecision>
  /** Decides as `evaluate`, and tells why. */
  explain(context: PolicyContext): Promise<PolicyExplanation>
}

const root = '/authz/api'

/** Creates the part of a client that is about policies. */
export function createPolicyClient(send: Transport): PolicyClient {
  const get = async <T>(path: string): Promise<T> =>
    (await send({ method: 'GET', path: `${root}${path}` })) as T
  const change = async <T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> =>
    (await send({ method, path: `${root}${path}`, ...(body === undefined ? {} : { body }) })) as T
  const pathOf = (id: string, query: object = {}) => `/policies/${encodeURIComponent(id)}${queryOf(query)}`
  const page: PolicyClient['page'] = (query = {}) => get(`/policies${queryOf(query)}`)
  return {
    status: () => get('/status'),
    page,
    async list() {
      const found: ListedPolicy[] = []
      let cursor: string | undefined
      do {
        const next = await page({ limit: 200, cursor })
        found.push(...next.policies)
        cursor = next.nextCursor
      } while (cursor !== undefined)
      return found
    },
    get: (id) => get(pathOf(id)),
    create: (policy) => change('POST', '/policies', policy),
    put: (id, policy, { version } = {}) => change('PUT', pathOf(id, { version }), policy),
    async delete(id, { version } = {}) {
      await change('DELETE', pathOf(id, { version }))
    },
    history: async (id) => (await get<{ versions: PolicyVersion[] }>(`${pathOf(id)}/history`)).versions,
    evaluate: (context) => change('POST', '/evaluate', context),
    explain: (context) => change('POST', '/explain', context),
  }
}
