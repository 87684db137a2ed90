import { looseReading } from '../gateway/request-path.js'
import type { Authenticator } from './authenticator.js'
import type { Authorizer } from './authorizer.js'
import { type PathReading, type PathRule, PathRules, type ShadowedRule } from './path-rules.js'
import type { TenantSource } from './tenant-source.js'

/** Who may pass at some paths. */
export interface AccessRule extends PathRule {
  /** In their order; with none the paths are public. */
  readonly authenticators: readonly Authenticator[]
  /** All of them have to allow. */
  readonly authorizers: readonly Authorizer[]
  /**
   * What is said of a request without credentials: `refuse`, or `pass` where what is behind decides. It has no meaning
   * for public paths.
   */
  readonly strangers: 'refuse' | 'pass'
  /** Where a request names the tenant whose data it is about; nowhere when missing. */
  readonly tenantFrom?: TenantSource | undefined
}

export interface RulebookOptions {
  readonly rules: readonly AccessRule[]
  /** Holds where no rule does. */
  readonly fallback: AccessRule
  /** Holds for the host's own operations where no rule does. */
  readonly operations: AccessRule
  /** Tells whether a path is one of the host's own operations. */
  isOperation(path: string): boolean
  /** Tells whether something else than a rule makes a path public, e.g. a rule of the proxy. */
  isExempt(method: string, path: string): boolean
}

/**
 * Why a rule holds for a request: it is one of the rules, `at` its place; it is for the host's own operations; something
 * else makes the path public; or it holds where none does. Without a rule, the path can be read in several ways.
 */
export type RuleReason =
  | { readonly by: 'rule'; readonly rule: AccessRule; readonly at: number }
  | { readonly by: 'operations' | 'exempt' | 'default'; readonly rule: AccessRule }
  | { readonly by: 'unclear' }

const publicRule: AccessRule = { paths: [], authenticators: [], authorizers: [], strangers: 'pass' }

/** Finds for each request the one rule that holds for it. */
export class Rulebook {
  readonly #options: RulebookOptions
  readonly #rules: PathRules<AccessRule>
  #shadowed: readonly ShadowedRule<AccessRule>[] | undefined

  /** @throws Error for a pattern that cannot be read. */
  constructor(options: RulebookOptions) {
    this.#options = options
    this.#rules = new PathRules(options.rules)
  }

  /** `ambiguous` where the path can be read in ways for which different rules hold. */
  ruleFor(method: string, path: string): AccessRule | 'ambiguous' {
    const found = this.#rules.find(method, path)
    if (found === 'ambiguous') return found
    if (found.rule !== undefined) return found.rule
    const { fallback, operations, isOperation, isExempt } = this.#options
    if (isOperation(path)) return operations
    return isExempt(method, path) && isExempt(method, looseReading(path)) ? publicRule : fallback
  }

  /** Tells what `ruleFor` goes by, for operators. */
  explain(method: string, path: string): RuleReason {
    const rule = this.ruleFor(method, path)
    if (rule === 'ambiguous') return { by: 'unclear' }
    const at = this.#options.rules.indexOf(rule)
    if (at !== -1) return { by: 'rule', rule, at }
    if (this.#options.isOperation(path)) return { by: 'operations', rule }
    return { by: rule === this.#options.fallback ? 'default' : 'exempt', rule }
  }

  /** In their order. */
  get rules(): readonly AccessRule[] {
    return this.#options.rules
  }

  /** What holds where no rule does. */
  get fallback(): AccessRule {
    return this.#options.fallback
  }

  /** What holds for the host's own operations where no rule does. */
  get operations(): AccessRule {
    return this.#options.operations
  }

  /** How servers may read a path, and which rules hold for that. */
  readings(method: string, path: string): readonly PathReading<AccessRule>[] {
    return this.#rules.readings(method, path)
  }

  /** Rules that no request comes to. */
  shadowed(): readonly ShadowedRule<AccessRule>[] {
    this.#shadowed ??= this.#rules.shadowed()
    return this.#shadowed
  }
}
