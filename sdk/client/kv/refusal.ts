import { ClientError } from '../client-error.js'

/** The error of something that the client does not send, with the status that the server would have answered. */
export function refused(code: string, message: string): ClientError {
  return new ClientError({ status: 400, code, message })
}

/** The error of an answer that has another shape than the key-value store gives. */
export function oddAnswer(what: string): ClientError {
  return new ClientError({
    status: 200,
    code: 'INVALID_RESPONSE',
    message: `the server's answer ${what}; are the client and the server of one version?`,
  })
}
