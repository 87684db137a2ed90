import { contentLimits } from '../base/limits/content.js'

/**
 * Finds what is wrong with the form of an entry's fields before any schema looks at them: they are an object, of
 * bounded size, depth and number of values. The text ends a sentence that begins with the column.
 */
export function findFieldsProblem(fields: unknown): string | undefined {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return 'must be an object'
  const { fieldsBytesMax, fieldsDepthMax, fieldsValuesMax } = contentLimits
  const problem = walk(fields)
  if (problem === 'deep') return `are nested deeper than ${fieldsDepthMax} levels`
  if (problem === 'many') return `have more than ${fieldsValuesMax} values`
  if (problem === 'odd') return 'hold something that JSON has no word for'
  if (problem === 'large') return 'hold an integer beyond 2^53, which would be rounded; send it as text'
  const bytes = Buffer.byteLength(JSON.stringify(fields))
  return bytes > fieldsBytesMax ? `have ${bytes} bytes as JSON; the limit is ${fieldsBytesMax}` : undefined
}

/** From here on JavaScript writes numbers with an exponent: nobody expects each of their digits. */
const exponentFrom = 1e21

function walk(root: object): 'deep' | 'many' | 'odd' | 'large' | undefined {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    values += 1
    if (values > contentLimits.fieldsValuesMax) return 'many'
    const { value, depth } = next
    if (typeof value === 'number' && !Number.isFinite(value)) return 'odd'
    if (isRounded(value)) return 'large'
    if (typeof value !== 'object' || value === null) {
      if (!['string', 'number', 'boolean', 'object'].includes(typeof value)) return 'odd'
      continue
    }
    if (depth > contentLimits.fieldsDepthMax) return 'deep'
    const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
    if (items.length > contentLimits.fieldsValuesMax) return 'many'
    for (const item of items) open.push({ value: item, depth: depth + 1 })
  }
  return undefined
}

function isRounded(value: unknown): boolean {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return false
  return Math.abs(Number(value)) < exponentFrom
}
