import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifyInstance } from 'fastify'
import type { ErrorFactory } from '../base/errors.js'
import { adminLimits } from '../base/limits/server.js'

/**
 * Makes an application refuse what its schemas do not know, and name every problem of a request at once.
 * Fastify's own default drops unknown keys in silence and stops at the first problem.
 *
 * @param invalidRequest Refuses a request for `{problem}`.
 */
export function installValidation(app: FastifyInstance, invalidRequest: ErrorFactory): void {
  const ajv = new Ajv({
    allErrors: true,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    strict: true,
  })
  app.setValidatorCompiler(({ schema }) => whenUsed(() => ajv.compile(schema as object)))
  app.setSchemaErrorFormatter((problems, part) => invalidRequest({ problem: describe(problems, part) }))
}

interface Validator {
  (value: unknown): boolean
  /** What the last value violates, in the place where Fastify looks for it. */
  errors?: ErrorObject[] | null
}

/** Puts compiling off until a request comes: a start needs few of the schemas, and each takes milliseconds. */
function whenUsed(compile: () => ValidateFunction): Validator {
  let compiled: ValidateFunction | undefined
  const validator: Validator = (value) => {
    compiled ??= compile()
    const isValid = compiled(value)
    validator.errors = compiled.errors ?? null
    return isValid
  }
  return validator
}

/** Ajv's problem as Fastify hands it on. */
type Problem = Pick<ErrorObject, 'instancePath' | 'keyword' | 'message' | 'params'>

function describe(problems: readonly Problem[], part: string): string {
  const shown = problems.slice(0, adminLimits.problemsMax).map((problem) => sentenceOf(problem, part))
  const hidden = problems.length - shown.length
  return [...shown, ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('; ')
}

function sentenceOf(
  { instancePath, keyword, message = 'is not valid', params }: Problem,
  part: string,
): string {
  const place = `${part}${instancePath.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')}`
  if (keyword === 'additionalProperties') return `${place} has the unknown key "${params.additionalProperty}"`
  if (keyword === 'required') return `${place} lacks the key "${params.missingProperty}"`
  if (keyword === 'const') return `${place} must be ${JSON.stringify(params.allowedValue)}`
  return `${place} ${message}`
}
