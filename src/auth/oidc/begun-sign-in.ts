import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { authLimits } from '../../base/limits/auth.js'
import { isLocalPath } from './local-path.js'

/**
 * A sign-in that a browser has begun at a provider. All of it follows from a secret that only this browser has, in a
 * cookie, so that any host of several can finish it and none has to remember it. What is sent along with the browser
 * says nothing of the secret.
 */
export interface BegunSignIn {
  /** Comes back from the provider, and names the cookie. */
  readonly state: string
  /** Comes back inside of the ID token. */
  readonly nonce: string
  /** Proves to the provider that who redeems the code is who began. */
  readonly verifier: string
  /** Path of this host to which the sign-in leads. */
  readonly redirect: string
}

const secretShape = /^[\w-]{43}$/

/**
 * Begins a sign-in.
 *
 * @param provider Name of the provider, which no other can finish it for.
 * @param redirect A local path.
 * @param now Milliseconds since 1970.
 * @returns What the cookie of the browser keeps, beside the sign-in.
 */
export function beginSignIn(
  provider: string,
  redirect: string,
  now: number,
): { readonly kept: string; readonly begun: BegunSignIn } {
  const secret = randomBytes(32).toString('base64url')
  const begunAt = String(now)
  const kept = `${secret}.${begunAt}.${Buffer.from(redirect).toString('base64url')}`
  return { kept, begun: derive(secret, provider, begunAt, redirect) }
}

/**
 * Takes up a sign-in.
 *
 * @param kept What the cookie has.
 * @param state What came back from the provider.
 * @returns Undefined when they do not belong together, or it was begun too long ago.
 */
export function takeUpSignIn(
  provider: string,
  kept: string,
  state: string,
  now: number,
): BegunSignIn | undefined {
  const [secret = '', begunAt = '', path = '', ...more] = kept.split('.')
  if (!secretShape.test(secret) || !/^\d{1,15}$/.test(begunAt) || more.length > 0) return undefined
  const redirect = Buffer.from(path, 'base64url').toString('utf8')
  const begun = derive(secret, provider, begunAt, redirect)
  const age = now - Number(begunAt)
  // The clocks of several hosts are not the same to the millisecond.
  if (age < -authLimits.oidcLoginMs || age > authLimits.oidcLoginMs) return undefined
  return isSame(begun.state, state) && isLocalPath(redirect) ? begun : undefined
}

function derive(secret: string, provider: string, begunAt: string, redirect: string): BegunSignIn {
  const part = (what: string): string =>
    createHmac('sha256', secret)
      .update(JSON.stringify([what, provider, begunAt, redirect]))
      .digest('base64url')
  return { state: part('state'), nonce: part('nonce'), verifier: part('verifier'), redirect }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
