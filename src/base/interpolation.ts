/** A text with the values of variables in place of their names. */
export interface Interpolated {
  readonly text: string
  /** True when a variable or its default was put in. */
  readonly isChanged: boolean
  /** What is wrong, as the end of a sentence; names variables and never values. `text` is what was given then. */
  readonly problem?: string
}

/** `$${`, or `${` with what stands up to the next `}`. */
const reference = /\$(\$\{)|\$\{([^}]*)(\}?)/g
const variable = /^([A-Za-z_]\w*)(?::-([\s\S]*))?$/

/**
 * Replaces `${NAME}` by the variable of that name, and `${NAME:-text}` by the text when the variable is unset or
 * empty; `$${` stands for the characters `${`. What is put in is not looked at again.
 *
 * @param takesEmpty True takes an empty variable for a value; otherwise one without a default is a problem.
 */
export function interpolate(
  given: string,
  environment: Readonly<Record<string, string | undefined>>,
  takesEmpty = false,
): Interpolated {
  let problem: string | undefined
  let isChanged = false
  const text = given.replace(reference, (whole, escaped?: string, inner = '', end = '') => {
    if (escaped !== undefined) return escaped
    const [, name = '', preset] = (end === '' ? null : variable.exec(inner)) ?? []
    if (name === '') {
      problem ??= `has a "\${" that no variable name and "}" follow; write "$\${" for the characters themselves`
      return whole
    }
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined
    isChanged = true
    if (found !== undefined && found !== '') return found
    if (preset !== undefined) return preset
    if (found === '' && takesEmpty) return ''
    problem ??= `names the environment variable ${name}, which is ${found === undefined ? 'not set' : 'empty'}`
    return whole
  })
  return problem === undefined ? { text, isChanged } : { text: given, isChanged: false, problem }
}
