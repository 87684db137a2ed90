import { createHash, randomBytes } from 'node:crypto'
import { authLimits } from '../../base/limits/auth.js'

const tries = 5

/**
 * Gives user names for somebody whom a provider vouches for, the nicest first: what they are called there in letters that
 * user names have, then the same with an ending of their own. None of them tells who they are: that is issuer and subject.
 *
 * @param wanted What they are called there, in any writing.
 */
export function derivedUsernames(
  issuer: string,
  subject: string,
  wanted: string | undefined,
): readonly string[] {
  const plain = (wanted ?? '')
    .split('@', 1)[0]
    ?.normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, authLimits.derivedNameCharactersMax)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
  const base = plain === undefined || plain === '' ? 'user' : plain
  const own = createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
    .slice(0, 8)
  const others = Array.from({ length: tries }, () => `${base}-${randomBytes(6).toString('hex')}`)
  return [base, `${base}-${own}`, ...others]
}
