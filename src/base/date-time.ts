const date = /^(\d{4})-(\d\d)-(\d\d)$/
const time = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Tells whether a text is a day that there is, as `2026-01-31`. */
export function isDate(text: string): boolean {
  const parts = date.exec(text)
  if (parts === null) return false
  const [, year, month, day] = parts.map(Number)
  const made = new Date(Date.UTC(2000, Number(month) - 1, Number(day)))
  // Two-digit years would be read as 19xx by the constructor.
  made.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return made.getUTCMonth() === Number(month) - 1 && made.getUTCDate() === Number(day)
}

/** Tells whether a text is a moment as RFC 3339 writes it, with capitals and an offset: `2026-01-31T12:00:00Z`. */
export function isDateTime(text: string): boolean {
  return text.length <= 64 && text[10] === 'T' && isDate(text.slice(0, 10)) && time.test(text.slice(11))
}
