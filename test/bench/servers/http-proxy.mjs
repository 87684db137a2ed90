// Bare Fastify with @fastify/http-proxy: the port to listen on and the server behind come from the command line.
import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'

const [port, upstream] = process.argv.slice(2)
const app = Fastify()
await app.register(httpProxy, { upstream, prefix: '/upstream', rewritePrefix: '/upstream' })
await app.listen({ host: '127.0.0.1', port: Number(port) })
