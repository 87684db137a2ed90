import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../base/errors.js'
import { policyLimits } from '../base/limits/policies.js'
import { configuredPoliciesInvalid, seedFileInvalid } from './errors.js'
import type { Policy } from './policy.js'
import { tryReadPolicy } from './policy-reader.js'
import { type Problem, problemDetails, tellProblems } from './problems.js'

/** A policy that was read, and its JSON. */
export interface ReadSeed {
  readonly policy: Policy
  readonly text: string
}

/** With which policies a database begins. */
export interface SeedOptions {
  /** True when missing. */
  readonly enabled?: boolean
  /**
   * True, also when missing: only a database without any policy gets them. False: each is created once, and not again
   * when it was deleted.
   */
  readonly onlyIfEmpty?: boolean
  /** Names of environments in which there are seeds, `*` for every one; `["*"]` when missing. */
  readonly environments?: readonly string[]
  /** Path of a file that holds a list of policies, or `{"policies": […]}`; none when missing or empty. */
  readonly file?: string
  /** More of them, which go before those of the file with the same ids. */
  readonly policies?: readonly unknown[]
}

/**
 * Reads policies that somebody has written into the configuration.
 *
 * @param origin Named in the error, e.g. `auth.policies.policies`.
 * @throws `POLICIES_INVALID` with everything that is wrong with any of them.
 */
export function readConfigured(sent: readonly unknown[], origin: string): readonly ReadSeed[] {
  const problems: Problem[] = []
  const { policiesMax } = policyLimits
  if (sent.length > policiesMax) {
    problems.push({ path: '', rule: `has ${sent.length} policies; the limit is ${policiesMax}` })
  }
  const known = new Map<string, number>()
  const read: ReadSeed[] = []
  for (const [index, each] of sent.slice(0, policiesMax).entries()) {
    const result = tryReadPolicy(each)
    if ('problems' in result) {
      problems.push(...result.problems.map(({ path, rule }) => ({ path: join(index, path), rule })))
      continue
    }
    const first = known.get(result.policy.id)
    if (first === undefined) known.set(result.policy.id, index)
    else problems.push({ path: join(index, 'id'), rule: `is that of policies[${first}] as well` })
    read.push(result)
  }
  if (problems.length === 0) return read
  throw configuredPoliciesInvalid(
    { origin, problems: tellProblems(problems) },
    { details: problemDetails(problems) },
  )
}

function join(index: number, path: string): string {
  return path === '' ? `policies[${index}]` : `policies[${index}].${path}`
}

/**
 * Reads the seeds: those of the file, then those of the configuration.
 *
 * @param environment Name of the environment that the host runs in.
 * @returns None when they are off, or not meant for this environment.
 * @throws `POLICY_SEED_FILE_INVALID` or `POLICIES_INVALID`.
 */
export async function readSeeds(options: SeedOptions, environment: string): Promise<readonly ReadSeed[]> {
  const { enabled = true, environments = ['*'], file = '', policies = [] } = options
  if (!enabled || !(environments.includes('*') || environments.includes(environment))) return []
  const fromFile = file === '' ? [] : readConfigured(await readSeedFile(file), file)
  const inline = readConfigured(policies, 'the seeds of the configuration')
  return [...new Map([...fromFile, ...inline].map((seed) => [seed.policy.id, seed])).values()]
}

async function readSeedFile(file: string): Promise<readonly unknown[]> {
  const content = await parseSeedFile(file)
  const list =
    typeof content === 'object' && content !== null && 'policies' in content ? content.policies : content
  if (!Array.isArray(list)) throw seedFileInvalid({ file, problem: 'it has no list of policies' })
  return list
}

async function parseSeedFile(file: string): Promise<unknown> {
  try {
    const { size } = await stat(file)
    const { seedFileBytesMax } = policyLimits
    if (size > seedFileBytesMax) throw new Error(`it has ${size} bytes, and the limit is ${seedFileBytesMax}`)
    return JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (error) {
    throw seedFileInvalid({ file, problem: messageOf(error) }, { cause: error })
  }
}
