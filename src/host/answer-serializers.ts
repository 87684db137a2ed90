import build from 'fast-json-stringify'
import type { FastifyInstance } from 'fastify'

/**
 * Makes an application compile the schema of an answer when the first such answer is sent, and not at the start: few
 * of the several hundred are ever needed, and each takes milliseconds. What is sent is the same: members that the
 * schema does not know are left out.
 */
export function serializeWhenUsed(app: FastifyInstance): void {
  app.setSerializerCompiler(({ schema }) => {
    let serialize: ((value: unknown) => string) | undefined
    return (value: unknown) => {
      serialize ??= build(schema as Parameters<typeof build>[0])
      return serialize(value)
    }
  })
}
