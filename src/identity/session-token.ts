import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { credentialDigest } from './api-key.js'

const shape = /^[\w-]{43}$/

/** Makes the token of a session: 32 random bytes. */
export function createSessionToken(): string {
  return randomBytes(32).toString('base64url')
}

/** True for a text that can be the token of a session. */
export function isSessionToken(text: string): boolean {
  return shape.test(text)
}

/**
 * Gives what a page of the host sends beside the cookie, and other pages cannot know. It belongs to one session and tells
 * nothing of its token.
 */
export function csrfToken(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('csrf').digest('base64url')
}

/** Tells in constant time whether a text is the `csrfToken` of a session. */
export function isCsrfToken(sessionToken: string, sent: string): boolean {
  return timingSafeEqual(credentialDigest(csrfToken(sessionToken)), credentialDigest(sent))
}
