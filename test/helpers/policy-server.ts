import { createHmac } from 'node:crypto'
import type { TestHostOptions } from './create-host.js'
import type { Answer } from './http-client.js'

const secret = 'a-secret-of-at-least-thirty-two-characters'
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Settings of a host that knows whom `as` makes, and lets policies decide about `/guarded` and what is below. */
export const policyConfig: NonNullable<TestHostOptions['config']> = {
  'auth.authenticators': { jwt: { type: 'jwt', issuer: 'https://issuer.example', audience: 'app', secret } },
  'auth.roles': { reader: ['policies:read'], writer: ['policies:read', 'policies:admin'] },
  'auth.http.rules': [
    { paths: ['/open/**'], authenticators: [], authorizers: ['policies'] },
    { paths: ['/guarded/**'], authenticators: ['jwt'], authorizers: ['policies'] },
    { paths: ['/api/v1/plugins/**'], authenticators: ['jwt', 'admin_token'], authorizers: ['policies'] },
  ],
}

/** Headers of somebody, as a token says who they are. */
export function as(sub: string, claims: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const now = Math.floor(Date.now() / 1000)
  const payload = { iss: 'https://issuer.example', aud: 'app', sub, iat: now, exp: now + 600, ...claims }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`
  const signature = createHmac('sha256', secret).update(text).digest('base64url')
  return { authorization: `Bearer ${text}.${signature}` }
}

/** A policy as somebody sends it, about anybody and anything but for what is said. */
export function policyDocument(
  id: string,
  parts: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { id, effect: 'permit', subjects: [], resources: [], actions: [], ...parts }
}

/** Status and code of an answer, e.g. `409 POLICY_EXISTS`; the status alone where there is no code. */
export function outcomeOf({ status, text }: Answer): string {
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : {}
  const { code } = body as { readonly code?: string }
  return code === undefined ? String(status) : `${status} ${code}`
}
