import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Answer } from './http-client.js'

interface Operation {
  readonly tags?: readonly string[]
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** The OpenAPI document of a server, held against what the server really answers. */
export class DocumentedApi {
  readonly #document: Document
  readonly #checked = new Set<string>()
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #validators = new Map<object, ValidateFunction>()

  constructor(document: unknown) {
    this.#document = document as Document
  }

  /** `METHOD /path` of the operations with this tag, sorted. */
  operations(tag: string): readonly string[] {
    return Object.entries(this.#document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([, { tags }]) => tags?.includes(tag))
          .map(([method]) => `${method.toUpperCase()} ${path}`),
      )
      .sort()
  }

  /** Asserts that this answer of an operation is one of those of the document, without a member that it does not have. */
  check(method: string, path: string, { status, headers, text }: Answer): void {
    const place = `${method} ${path} ${status}`
    const operation = this.#document.paths[path]?.[method.toLowerCase()]
    assert.ok(operation, `${method} ${path} is not in the document`)
    const described = operation.responses[String(status)]
    assert.ok(described, `${place} is not in the document: ${text}`)
    const type = String(headers['content-type']).split(';', 1)[0] ?? ''
    const schema = described.content?.[type]?.schema
    assert.ok(schema, `${place} is not documented as ${type}`)
    this.#checked.add(`${method} ${path}`)
    if (type !== 'application/json') return
    const isValid = this.#validatorOf(schema)
    assert.ok(
      isValid(JSON.parse(text)),
      `${place}: ${JSON.stringify(isValid.errors)} in ${text.slice(0, 500)}`,
    )
  }

  #validatorOf(schema: object): ValidateFunction {
    const compiled = this.#validators.get(schema) ?? this.#ajv.compile(closed(schema) as object)
    this.#validators.set(schema, compiled)
    return compiled
  }

  /** Operations with this tag of which no answer was checked. */
  unchecked(tag: string): readonly string[] {
    return this.operations(tag).filter((operation) => !this.#checked.has(operation))
  }
}

/** Makes a schema refuse the members that it does not name, where it does not say otherwise. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]))
  const isOpen = !('properties' in copy) || 'additionalProperties' in copy || 'allOf' in copy
  return isOpen || copy.type !== 'object' ? copy : { ...copy, additionalProperties: false }
}
