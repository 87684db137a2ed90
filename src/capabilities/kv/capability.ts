import { type Capability, defineCapability } from '../define.js'
import type { KvLookups } from './bind.js'
import { sharedPrefix } from './bind.js'
import { kvClasses } from './class-docs.js'
import { entryFunctions } from './entry-functions.js'
import { hiddenFunctions, luaFunctionDocs } from './lua-functions.js'
import { createKvLua } from './lua-part.js'
import { queueFunctions } from './queue-functions.js'
import { registrationFunctions } from './registration-functions.js'
import { searchFunctions } from './search-functions.js'
import { valueFunctions } from './value-functions.js'

/**
 * Creates the Lua module `kv`: entries, queues and search in a namespace that only the plugin has, or in shared ones.
 *
 * @param lookups What is kept for connections.
 */
export function createKvCapability(lookups: KvLookups): Capability {
  const inNamespace = [...entryFunctions(lookups), ...queueFunctions(lookups), ...searchFunctions(lookups)]
  const handled = inNamespace.filter(({ name }) => !name.startsWith(sharedPrefix))
  return defineCapability({
    name: 'kv',
    doc: [
      'A key-value store. Each plugin has a namespace of its own, which no other plugin reaches; `kv.shared` gives those',
      'that an admin has approved. Keys are lists of parts and sorted, values are what JSON has and a little more. What',
      'goes wrong in the store gives `nil, message`; misuse raises.',
    ].join('\n'),
    functions: [...inNamespace, ...valueFunctions(), ...registrationFunctions, ...hiddenFunctions(lookups)],
    classes: kvClasses,
    lua: createKvLua(handled.map(({ name, params }) => ({ name, params: params.length }))),
    luaFunctions: luaFunctionDocs,
  })
}
