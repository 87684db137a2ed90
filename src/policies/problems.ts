import { policyLimits } from '../base/limits/policies.js'

/** One thing that is wrong with a policy or a context. */
export interface Problem {
  /** Where, e.g. `subjects[0].kind`; empty for the whole. */
  readonly path: string
  /** What has to be different, as the end of a sentence. */
  readonly rule: string
}

/** Gives the path of a member of an object, or of an item of a list. */
export function pathTo(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`
  // Names are what somebody sent: they are shown so that no sentence can be forged with them.
  const shown = /^[\w-]{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64))
  return path === '' ? shown : `${path}.${shown}`
}

/** Writes problems as one sentence; `problemsMax` of them, and how many there are beside. */
export function tellProblems(problems: readonly Problem[]): string {
  const told = problems.slice(0, policyLimits.problemsMax)
  const lines = told.map(({ path, rule }) => (path === '' ? `it ${rule}` : `${path} ${rule}`))
  const more = problems.length - told.length
  return [...lines, ...(more > 0 ? [`there are ${more} more problems`] : [])].join('; ')
}

/** What an error carries in its details. */
export function problemDetails(problems: readonly Problem[]): { readonly problems: readonly Problem[] } {
  return { problems: problems.slice(0, policyLimits.problemsMax) }
}
