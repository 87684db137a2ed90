// What the two sides of the row `proxy` stand in front of: a small JSON answer and 64 KiB of bytes, as a server of
// others would give them.
import { createServer } from 'node:http'

const small = JSON.stringify({ count: 3, message: 'hello, ada', ok: true })
const large = Buffer.alloc(64 * 1024, 'a')

const server = createServer((request, response) => {
  const [type, body] = request.url.endsWith('/large')
    ? ['application/octet-stream', large]
    : ['application/json; charset=utf-8', small]
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1')
