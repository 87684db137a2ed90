/** Somebody who has proved who they are. */
export interface User {
  readonly id: string
  readonly username: string
  readonly role: string
}

/** The part of a request that credentials are read from. Header names are in lower case, as Node gives them. */
export interface CredentialSource {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Tells who sent a request. */
export interface Authenticator {
  /** Undefined when the request carries no valid credential. */
  authenticate(request: CredentialSource): User | undefined
}
