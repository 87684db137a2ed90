import { ClientError } from './client-error.js'

/** What an error answer can have: the admin API nests the code, the key-value store has it beside the text. */
interface ErrorBody {
  readonly error?: unknown
  readonly code?: unknown
  readonly errors?: unknown
}

/** Makes the error of an answer whose status tells of a failure. */
export function errorOfAnswer(status: number, text: string, base: string): ClientError {
  const { error, code, errors } = parseBody(text)
  if (typeof error === 'string' && typeof code === 'string') {
    return new ClientError({
      status,
      code: textOr(code, 'UNKNOWN'),
      message: textOr(error, `the server answered with status ${status}`),
    })
  }
  if (typeof error !== 'object' || error === null) {
    return new ClientError({
      status,
      code: 'INVALID_RESPONSE',
      message: `${base} answered with status ${status} and no error code; is it a modulacms server?`,
    })
  }
  const facts = error as {
    readonly code?: unknown
    readonly message?: unknown
    readonly request_id?: unknown
  }
  return new ClientError({
    status,
    code: textOr(facts.code, 'UNKNOWN'),
    message: textOr(facts.message, `the server answered with status ${status}`),
    requestId: typeof facts.request_id === 'string' ? facts.request_id : undefined,
    problems: Array.isArray(errors) ? errors.filter((problem) => typeof problem === 'string') : [],
  })
}

/** The error of an answer that was to be JSON and is not. */
export function notJson(status: number, base: string, cause: unknown): ClientError {
  return new ClientError({
    status,
    code: 'INVALID_RESPONSE',
    message: `${base} answered with status ${status} and something that is not JSON; is it a modulacms server?`,
    cause,
  })
}

function parseBody(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback
}
