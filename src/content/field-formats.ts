import { isDate, isDateTime } from '../base/date-time.js'

/** Longest text that a format is checked on; longer ones do not have it. */
const charactersMax = 2048

/**
 * The formats that fields can be declared with. Each check takes a time that grows with the length of the text and no
 * faster: none of the expressions has two ways to match the same text.
 */
export const fieldFormats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  'date-time': isDateTime,
  email: isEmail,
  uri: isUri,
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at < 1 || at > 64 || text.length > 254) return false
  const domain = text.slice(at + 1)
  return /^[^\s@"<>()[\]\\,;:]+$/.test(text.slice(0, at)) && /^[A-Za-z0-9.-]+$/.test(domain) && domain !== ''
}

function isUri(text: string): boolean {
  return text.length <= charactersMax && /^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text)
}
