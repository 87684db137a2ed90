import { parseJson } from '../../sandbox/json-parser.js'
import { DecodedJson, failure, type LuaValue, Results } from '../../sandbox/lua-value.js'
import type { Call, FunctionDefinition } from '../define.js'
import { naming } from './service-options.js'
import type { ServiceAnswer } from './service-wire.js'

type Declared = Pick<
  FunctionDefinition,
  'name' | 'doc' | 'params' | 'returns' | 'example' | 'phases' | 'cost' | 'permission'
> & {
  readonly topic: string
  /** Makes the question of what Lua passed; `Results` where it is clear without the host. Raises for misuse. */
  ask(...args: LuaValue[]): unknown
}

/** Declares a function that the host answers: expected failures are `nil, message`, misuse raises. */
export function serviceFunction({ topic, ask, ...declared }: Declared): FunctionDefinition {
  return {
    ...declared,
    mode: 'async',
    async handler(call: Call, ...args: LuaValue[]): Promise<LuaValue | Results> {
      const question = naming(declared.name, () => ask(...args))
      if (question instanceof Results) return question
      return luaValueOf((await call.ask(topic, question)) as ServiceAnswer)
    },
  }
}

function luaValueOf(answer: ServiceAnswer): LuaValue | Results {
  if (!answer.ok) return failure(answer.message)
  if (answer.json === '') return undefined
  const value = parseJson(answer.json)
  return value === null ? null : new DecodedJson(value)
}
