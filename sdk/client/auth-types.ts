/** Who is asked where one rule holds. */
export interface AuthAccess {
  /** In their order; the first that knows who sends a request ends it. */
  readonly authenticators: readonly string[]
  /** All of them have to allow a request. */
  readonly authorizers: readonly string[]
  /** True when nobody is asked, and everybody is anonymous. */
  readonly public: boolean
  /** `refuse` answers requests without credentials with 401; `pass` leaves them to what is behind. */
  readonly strangers: 'refuse' | 'pass'
}

/** One of `auth.http.rules`. */
export interface AuthRule extends AuthAccess {
  /** Place in the list, from 0. */
  readonly at: number
  readonly paths: readonly string[]
  /** All when missing. */
  readonly methods?: readonly string[]
  readonly roles?: readonly string[]
  readonly permissions?: readonly string[]
  readonly tenant?: string
  /** Places of the rules that leave no request to this one. */
  readonly shadowed_by: readonly number[]
}

/** An authenticator or an authorizer. */
export interface AuthParty {
  readonly name: string
  /** E.g. `jwt`; `plugin` for those of plugins. */
  readonly type: string
  readonly plugin?: string
  /** What names one that is not ready is refused. */
  readonly state: 'ready' | 'paused' | 'held'
  /** Why it is not ready. */
  readonly reason?: string
}

/** How a server is guarded. */
export interface AuthStatus {
  readonly enabled: boolean
  /** The first that holds decides alone. */
  readonly rules: readonly AuthRule[]
  /** Where no rule holds. */
  readonly default: AuthAccess
  /** For the operations of the server, where no rule holds. */
  readonly operations: AuthAccess
  readonly authenticators: readonly AuthParty[]
  readonly authorizers: readonly AuthParty[]
  /** What may not have been meant, each a sentence. */
  readonly warnings: readonly string[]
}

/** Which rule holds for a request. */
export interface AuthMatch {
  readonly method: string
  /** As the router reads it. */
  readonly path: string
  /**
   * What decides: a rule, what holds for the operations of the server, something else that makes the path public, what holds
   * where no rule does; or nothing, as the path can be read as one of different rules (`unclear`) or in several ways at
   * all (`refused`), which answers 400.
   */
  readonly by: 'rule' | 'operations' | 'exempt' | 'default' | 'unclear' | 'refused'
  /** Place of the rule. */
  readonly rule?: number
  readonly access?: AuthAccess
  /** Those who would be asked and are not ready. */
  readonly held: readonly string[]
  readonly readings: readonly {
    readonly as: 'sent' | 'simplified' | 'any-case'
    readonly path: string
    readonly rule?: number
  }[]
}

/** A provider at which people sign in. */
export interface SignInProvider {
  readonly name: string
  /** What people call it. */
  readonly display_name: string
  /** Where a browser is sent to sign in, with `redirect` as the path of the host to which that leads. */
  readonly login_path: string
}
