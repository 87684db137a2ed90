import { configJsonSchema } from '../src/config/json-schema.js'
import { configReference } from '../src/config/reference.js'

/** A file of the repository that is made from the code. */
export interface Artefact {
  /** Path from the root of the repository. */
  readonly path: string
  /** Makes the whole text of the file; the same code gives the same text on every machine. */
  content(): string | Promise<string>
}

/** Every generated file. `npm run generate` writes them and `test/unit/generated.test.ts` compares them. */
export const artefacts: readonly Artefact[] = [
  { path: 'sdk/schema/config.schema.json', content: () => toJsonText(configJsonSchema()) },
  { path: 'docs/reference/configuration.md', content: configReference },
]

/** Lays out a value as the generated JSON files are. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
