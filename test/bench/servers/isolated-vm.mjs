// isolated-vm: one isolate, the handler compiled once and called with a copied request object.
import ivm from 'isolated-vm'
import { serveRoute } from './route.mjs'

const isolate = new ivm.Isolate({ memoryLimit: 32 })
const context = isolate.createContextSync()
const handler = context.evalSync(
  `(function (request) {
    return { status: 200, json: { count: 3, message: 'hello, ' + request.params.name, ok: true } }
  })`,
  { reference: true },
)

const options = { arguments: { copy: true }, result: { copy: true }, timeout: 5000 }
await serveRoute((request) => handler.applySync(undefined, [request], options))
