// quickjs-emscripten: one context, the handler compiled once; requests and responses cross as JSON text.
import { getQuickJS, shouldInterruptAfterDeadline } from 'quickjs-emscripten'
import { serveRoute } from './route.mjs'

const QuickJS = await getQuickJS()
const runtime = QuickJS.newRuntime()
runtime.setMemoryLimit(32 * 1024 * 1024)
const context = runtime.newContext()
const handler = context.unwrapResult(
  context.evalCode(`(function (text) {
    const request = JSON.parse(text)
    return JSON.stringify({
      status: 200,
      json: { count: 3, message: 'hello, ' + request.params.name, ok: true },
    })
  })`),
)

await serveRoute((request) => {
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + 5000))
  const text = context.newString(JSON.stringify(request))
  const result = context.unwrapResult(context.callFunction(handler, context.undefined, text))
  const answer = JSON.parse(context.getString(result))
  result.dispose()
  text.dispose()
  return answer
})
