const schemes = ['bearer', 'apiKey', 'sessionHeader', 'sessionCookie'] as const

/** Name of a security scheme in the OpenAPI document: a way in which a credential is sent. */
export type CredentialScheme = (typeof schemes)[number]

/** What an operation says of its callers in the OpenAPI document: any one of the credentials does. */
export const anyCredential: readonly { readonly [scheme: string]: readonly string[] }[] = schemes.map(
  (scheme) => ({ [scheme]: [] }),
)
