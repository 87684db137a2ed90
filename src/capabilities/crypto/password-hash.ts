import { passwordHashLimits } from '../../base/limits/crypto.js'

const base64 = '[A-Za-z0-9+/]'
const encodedHash = new RegExp(
  `^\\$argon2(?:id|i|d)\\$v=19\\$(m=[1-9]\\d{0,9},(?:t=[1-9]\\d{0,9},p=|p=[1-9]\\d{0,9},t=)[1-9]\\d{0,9})\\$${base64}{11,86}\\$${base64}{22,86}$`,
)

/**
 * Looks at an encoded Argon2 hash before anything is computed of it: what it costs to check is what it says itself.
 *
 * @returns What is wrong with it; undefined when it can be checked.
 */
export function passwordHashFault(hash: string): string | undefined {
  const match = hash.length > passwordHashLimits.hashCharactersMax ? null : encodedHash.exec(hash)
  if (match === null) return 'the hash is no encoded Argon2 hash of version 19'
  const costs = new URLSearchParams(match[1]?.replaceAll(',', '&'))
  const [memory, passes, lanes] = ['m', 't', 'p'].map((each) => Number(costs.get(each))) as [
    number,
    number,
    number,
  ]
  const { memoryKibMax, passesMax, workMax, lanesMax } = passwordHashLimits
  const isWithin =
    memory <= memoryKibMax && passes <= passesMax && memory * passes <= workMax && lanes <= lanesMax
  if (!isWithin) {
    return `the hash costs more than is allowed: m=${memoryKibMax}, t=${passesMax}, p=${lanesMax} and ${workMax} for m times t`
  }
  return memory < 8 * lanes
    ? 'the hash is no encoded Argon2 hash: it has less memory than its lanes need'
    : undefined
}
