import { passwordLimits } from '../base/limits/identity.js'
import { passwordRefused } from './errors.js'
import { guessedPasswords } from './guessed-passwords.js'

/**
 * Brings a password into the one spelling that is hashed, as keyboards differ in how they write the same characters.
 *
 * @returns Undefined for what no password can be: too long, or no valid Unicode. Nothing is cut.
 */
export function spellPassword(password: string): string | undefined {
  if (password.length > passwordLimits.codeUnitsMax) return undefined
  // Lone surrogates would all become the same replacement character.
  if (/\p{Surrogate}/u.test(password)) return undefined
  const text = password.normalize('NFC')
  return [...text].length > passwordLimits.charactersMax ? undefined : text
}

/**
 * Refuses a password that somebody wants to have when it is too short, too long, or among the first that are guessed.
 * Which kinds of characters it has does not matter.
 *
 * @param words What is known of its owner, such as names and the e-mail address.
 * @throws `PASSWORD_REFUSED`, which never repeats the password.
 */
export function checkNewPassword(password: string, words: readonly (string | undefined)[] = []): void {
  const { charactersMin: min, charactersMax: max } = passwordLimits
  const refuse = (problem: string) => passwordRefused({ problem, min, max })
  const text = spellPassword(password)
  if (text === undefined) throw refuse('is too long or no valid Unicode')
  const characters = [...text]
  if (characters.length < min) throw refuse(`has ${characters.length} characters`)
  if (new Set(characters).size < 3) throw refuse('repeats the same characters')
  const folded = text.toLowerCase()
  if (guessedPasswords.has(folded)) throw refuse('is among the most common ones')
  if (words.some((word) => word !== undefined && isOwn(folded, word.toLowerCase()))) {
    throw refuse('is hardly more than the name or address of its owner')
  }
}

/** True when little is left of a password without a word that strangers know. */
function isOwn(password: string, word: string): boolean {
  const names = [word, word.split('@')[0] ?? '']
  return names.some(
    (name) => name.length >= 3 && password.includes(name) && password.length - name.length < 4,
  )
}
