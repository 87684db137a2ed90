/**
 * Matches a text against a pattern in which `*` stands for any characters, none included. Takes time in proportion to
 * the product of the two lengths at worst.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[from] === '*') {
      star = from
      from += 1
      resume = at
    } else if (pattern[from] === text[at]) {
      from += 1
      at += 1
    } else if (star >= 0) {
      // The last star takes one more character.
      from = star + 1
      resume += 1
      at = resume
    } else return false
  }
  while (pattern[from] === '*') from += 1
  return from === pattern.length
}
