import { type TSchema, Type } from '@sinclair/typebox'
import { anyCredential } from '../../areas/credentials.js'

const text = (description: string) => Type.String({ description })

/** The one envelope of every failure. */
export const errorSchema = Type.Object({
  error: Type.Object({
    code: text('Stable and machine-readable.'),
    message: text('A sentence for a person.'),
    request_id: Type.Optional(text("Finds the line in the server's log.")),
  }),
})

/** What one operation says of itself; becomes its checks and its page in the OpenAPI document. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly answer: TSchema
  /** Status of the answer; 200 when missing. */
  readonly status?: 200 | 201
  /** Statuses of failures beside 401, 403 and 500. */
  readonly failures?: readonly number[]
  /** False for what takes no credential. */
  readonly isProtected?: boolean
}

/** Makes the Fastify schema of an operation. */
export function schemaOf(operation: Operation): Record<string, unknown> {
  const { operationId, summary, description, params, query, body, answer, status = 200 } = operation
  const { failures = [], isProtected = true } = operation
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: ['auth'],
    security: isProtected ? anyCredential : [],
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    response: {
      [status]: answer,
      ...Object.fromEntries([...failures, 401, 403, 500].map((each) => [each, errorSchema])),
    },
  }
}
