/** Arguments of one call; engines bound their number. */
const chunkBytes = 8192

/** Encodes bytes with the means that browsers have, too. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + chunkBytes))
  }
  return btoa(text)
}

/** Decodes what `encodeBase64` made. @throws DOMException for anything else. */
export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
