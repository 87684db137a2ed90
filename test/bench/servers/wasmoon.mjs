// wasmoon's high-level API: one engine, a Lua function fetched once and called with a JavaScript object.
import { LuaFactory } from 'wasmoon'
import { serveRoute } from './route.mjs'

const engine = await new LuaFactory().createEngine()
await engine.doString(`
  function handle(request)
    return { status = 200, json = { count = 3, message = "hello, " .. request.params.name, ok = true } }
  end
`)
const handle = engine.global.get('handle')
await serveRoute((request) => handle(request))
