import { createCapabilities } from '../src/capabilities/registry.js'
import { testCapability } from '../src/capabilities/test/capability.js'
import { configJsonSchema } from '../src/config/json-schema.js'
import { configReference } from '../src/config/reference.js'
import { environmentPage, environmentStub } from './generators/environment.js'
import { errorsPage } from './generators/errors-page.js'
import { limitsPage } from './generators/limits-page.js'
import { modulePage } from './generators/lua-page.js'
import { moduleStub } from './generators/lua-stub.js'
import { metricsPage } from './generators/metrics-page.js'
import { openApiDocument } from './generators/openapi-document.js'

/** A file of the repository that is made from the code. */
export interface Artefact {
  /** Path from the root of the repository. */
  readonly path: string
  /** Makes the whole text of the file; the same code gives the same text on every machine. */
  content(): string | Promise<string>
}

// This file runs as dist/scripts/artefacts.js.
const root = new URL('../../', import.meta.url)

/** Every generated file. `npm run generate` writes them and `test/unit/generated.test.ts` compares them. */
export const artefacts: readonly Artefact[] = [
  { path: 'sdk/schema/config.schema.json', content: () => toJsonText(configJsonSchema()) },
  { path: 'sdk/schema/openapi.json', content: async () => toJsonText(await openApiDocument()) },
  { path: 'sdk/lua/globals.lua', content: environmentStub },
  { path: 'docs/reference/lua/globals.md', content: environmentPage },
  ...[...createCapabilities(), testCapability].flatMap((capability) => [
    { path: `sdk/lua/${capability.name}.lua`, content: () => moduleStub(capability) },
    { path: `docs/reference/lua/${capability.name}.md`, content: () => modulePage(capability) },
  ]),
  { path: 'docs/reference/configuration.md', content: configReference },
  { path: 'docs/reference/limits.md', content: () => limitsPage(root) },
  { path: 'docs/reference/metrics.md', content: metricsPage },
  { path: 'docs/reference/errors.md', content: () => errorsPage(root) },
]

/** Lays out a value as the generated JSON files are. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
