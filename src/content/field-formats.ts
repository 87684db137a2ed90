const date = /^(\d{4})-(\d\d)-(\d\d)$/
const time = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

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

function isDate(text: string): boolean {
  const parts = date.exec(text)
  if (parts === null) return false
  const [, year, month, day] = parts.map(Number)
  const made = new Date(Date.UTC(2000, Number(month) - 1, Number(day)))
  // Two-digit years would be read as 19xx by the constructor.
  made.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return made.getUTCMonth() === Number(month) - 1 && made.getUTCDate() === Number(day)
}

function isDateTime(text: string): boolean {
  return text.length <= 64 && text[10] === 'T' && isDate(text.slice(0, 10)) && time.test(text.slice(11))
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
