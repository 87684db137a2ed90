import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Exchange } from '../../../src/gateway/exchange.js'
import { Pipeline, type PipelineOptions } from '../../../src/gateway/pipeline.js'
import type { Finish, Stage } from '../../../src/gateway/stage.js'
import { createRequestIds } from '../../../src/server/request-ids.js'
import { createHttpClient, type HttpClient } from '../../helpers/http-client.js'
import { until } from '../../helpers/until.js'

interface World {
  readonly client: HttpClient
  readonly app: FastifyInstance
  readonly pipeline: Pipeline
  readonly url: URL
  readonly errors: Readonly<Record<string, unknown>>[]
}

async function serve(
  test: TestContext,
  stages: readonly Stage[],
  more: Partial<PipelineOptions> = {},
): Promise<World> {
  const errors: Readonly<Record<string, unknown>>[] = []
  const silent = (): void => undefined
  const log = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (fields: object) => errors.push({ ...fields }),
  }
  const pipeline = new Pipeline({
    stages,
    log,
    clientIp: () => '192.0.2.1',
    userOf: () => undefined,
    ...more,
  })
  const app = Fastify({ logger: false, genReqId: createRequestIds() })
  pipeline.install(app)
  app.get('/plain', async () => ({ from: 'route' }))
  app.get('/other', async ({ headers, id, query }) => ({ from: 'other', query, x: headers['x-added'], id }))
  app.get('/throws', async () => {
    throw new Error('inside')
  })
  app.get('/stream', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: 1\n\n')
  })
  app.post('/echo', async (request) => request.body)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = new URL(`http://127.0.0.1:${(app.server.address() as { port: number }).port}`)
  const client = createHttpClient(url.href)
  test.after(async () => {
    client.close()
    app.server.closeAllConnections()
    await app.close()
  })
  return { client, app, pipeline, url, errors }
}

function recorder(seen: string[], name: string, priority: number, more: Partial<Stage> = {}): Stage {
  return {
    name,
    priority,
    onRequest: () => {
      seen.push(`${name} request`)
      return undefined
    },
    onAnswer: (_exchange, answer) => {
      seen.push(`${name} answer ${answer.status}`)
    },
    ...more,
  }
}

describe('the chain', () => {
  it('runs by priority on the way in and in reverse on the way out', async (test) => {
    const seen: string[] = []
    const { client, pipeline } = await serve(test, [
      recorder(seen, 'c', 20),
      recorder(seen, 'a', 0),
      recorder(seen, 'b', 10),
    ])
    assert.equal((await client.send('GET', '/plain')).status, 200)
    const requests = ['a request', 'b request', 'c request']
    assert.deepEqual(seen, [...requests, 'c answer 200', 'b answer 200', 'a answer 200'])
    assert.deepEqual(
      pipeline.list().map(({ name }) => name),
      ['a', 'b', 'c'],
    )
  })

  it('obeys constraints before priorities, and keeps the given order of equals', async (test) => {
    const seen: string[] = []
    const { pipeline } = await serve(test, [
      recorder(seen, 'late', 1, { after: ['early', 'absent'] }),
      recorder(seen, 'early', 15),
      recorder(seen, 'x', 15),
      recorder(seen, 'first', 90, { before: ['x'] }),
    ])
    assert.deepEqual(
      pipeline.list().map(({ name }) => name),
      ['early', 'late', 'first', 'x'],
    )
  })

  it('puts stages where an operator wants them, those of plugins too', async (test) => {
    const plugins = [recorder([], 'plugin:a/guard', 50), recorder([], 'constructor', 40)]
    const { pipeline } = await serve(test, [recorder([], 'a', 0), recorder([], 'b', 10)], {
      pluginStages: () => plugins,
      places: { a: 20, 'plugin:a/guard': -5, absent: 1 },
    })
    assert.deepEqual(
      pipeline.list().map(({ name, priority }) => [name, priority]),
      [
        ['plugin:a/guard', -5],
        ['b', 10],
        ['a', 20],
        ['constructor', 40],
      ],
    )
  })

  it('refuses constraints that contradict each other', () => {
    const stages = [
      recorder([], 'a', 1, { after: ['b'] }),
      recorder([], 'b', 2, { after: ['a'] }),
      recorder([], 'c', 3),
    ]
    const services = { clientIp: () => '', userOf: () => undefined }
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    assert.throws(() => new Pipeline({ stages, log, ...services }), {
      code: 'GATEWAY_STAGE_CYCLE',
      message: /a, b/,
    })
  })

  it('lets stages of answers see 404s, errors and answers of other stages', async (test) => {
    const seen: string[] = []
    const refuse: Stage = {
      name: 'refuse',
      priority: 10,
      onRequest: ({ path }) =>
        path === '/refused' ? { status: 418, headers: ['x-from', 'stage'], body: 'no' } : undefined,
    }
    const { client } = await serve(test, [recorder(seen, 'first', 0), refuse, recorder(seen, 'last', 20)])
    const refused = await client.send('GET', '/refused')
    assert.deepEqual([refused.status, refused.text, refused.headers['x-from']], [418, 'no', 'stage'])
    assert.equal((await client.send('GET', '/nothing')).status, 404)
    assert.equal((await client.send('GET', '/throws')).status, 500)
    assert.deepEqual(
      seen.filter((each) => each.startsWith('last')),
      ['last answer 418', 'last request', 'last answer 404', 'last request', 'last answer 500'],
      'a stage behind the one that answered did not see the request, but sees the answer',
    )
  })

  it('takes stages of plugins in and out while it runs; a request keeps its chain', async (test) => {
    const seen: string[] = []
    let plugins: readonly Stage[] = []
    const swap: Stage = {
      name: 'swap',
      priority: 0,
      onRequest: ({ query }) => {
        if (query === 'swap') plugins = [recorder(seen, 'plugin', 50)]
        return undefined
      },
    }
    const { client } = await serve(test, [swap], { pluginStages: () => plugins })
    await client.send('GET', '/plain?swap')
    assert.deepEqual(seen, [])
    await client.send('GET', '/plain')
    assert.deepEqual(seen, ['plugin request', 'plugin answer 200'])
    plugins = []
    await client.send('GET', '/plain')
    assert.equal(seen.length, 2)
  })
})

describe('a stage', () => {
  it('may change headers and target; the route is found anew and no stage runs twice', async (test) => {
    const seen: string[] = []
    const rewrite: Stage = {
      name: 'rewrite',
      priority: 5,
      onRequest: async (exchange) => {
        exchange.reply.header('x-kept', exchange.request.id)
        exchange.setRequestHeader('X-Added', 'by a stage')
        if (exchange.path === '/plain') exchange.rewrite('/other?a=1')
        return undefined
      },
    }
    const { client } = await serve(test, [recorder(seen, 'first', 0), rewrite, recorder(seen, 'last', 9)])
    const answer = await client.send('GET', '/plain', { headers: { 'x-added': 'forged' } })
    const { id, ...rest } = answer.json()
    assert.deepEqual(rest, { from: 'other', query: { a: '1' }, x: 'by a stage' })
    assert.equal(answer.headers['x-kept'], id, 'one request has one id')
    assert.deepEqual(seen, ['first request', 'last request', 'last answer 200', 'first answer 200'])
  })

  it('may send the request elsewhere, when all others have let it pass', async (test) => {
    const away: Stage = {
      name: 'away',
      priority: 0,
      onRequest: (exchange) => {
        exchange.destination = ({ reply, path }) => void reply.code(203).send(`elsewhere ${path}`)
        return undefined
      },
    }
    const limit: Stage = {
      name: 'limit',
      priority: 5,
      onRequest: ({ query }) => (query === 'no' ? { status: 429, headers: [], body: undefined } : undefined),
    }
    const seen: string[] = []
    const { client } = await serve(test, [away, limit, recorder(seen, 'sees', 0)])
    const sent = await client.send('GET', '/not/a/route')
    assert.deepEqual([sent.status, sent.text], [203, 'elsewhere /not/a/route'])
    assert.equal((await client.send('GET', '/not/a/route?no')).status, 429)
    assert.deepEqual(
      seen.filter((each) => each.includes('answer')),
      ['sees answer 203', 'sees answer 429'],
    )
  })

  it('may change status, headers and body of an answer', async (test) => {
    const change: Stage = {
      name: 'change',
      priority: 0,
      onAnswer: async (_exchange, answer) => {
        const from = String(answer.body)
        answer.status = 201
        answer.setHeader('content-type', 'text/plain')
        answer.replaceBody(`${from} and a good deal more`)
      },
    }
    const { client } = await serve(test, [change])
    const answer = await client.send('GET', '/plain')
    assert.deepEqual([answer.status, answer.text], [201, '{"from":"route"} and a good deal more'])
    assert.equal(answer.headers['content-length'], String(answer.bytes.length))
  })

  for (const kind of ['now', 'later'] as const) {
    const fail = (): undefined | Promise<undefined> => {
      if (kind === 'now') throw new Error('secret text')
      return Promise.reject(new Error('secret text'))
    }
    it(`that fails on a request (${kind}) closes the way, without its text`, async (test) => {
      const seen: string[] = []
      const broken: Stage = { name: 'broken', priority: 1, onRequest: fail }
      const { client, errors } = await serve(test, [
        recorder(seen, 'first', 0),
        broken,
        recorder(seen, 'last', 2),
      ])
      const answer = await client.send('GET', '/plain')
      assert.deepEqual([answer.status, answer.json().code], [503, 'GATEWAY_STAGE_FAILED'])
      assert.doesNotMatch(answer.text, /secret|route/)
      assert.match(String(errors[0]?.error), /secret text/)
      assert.deepEqual(seen, ['first request', 'last answer 503', 'first answer 503'])
    })

    it(`that fails on an answer (${kind}) replaces it, and the others go on`, async (test) => {
      const seen: string[] = []
      const broken: Stage = { name: 'broken', priority: 1, onAnswer: fail }
      const { client } = await serve(test, [recorder(seen, 'first', 0), broken])
      const answer = await client.send('GET', '/plain')
      assert.deepEqual([answer.status, answer.json().code], [503, 'GATEWAY_STAGE_FAILED'])
      assert.doesNotMatch(answer.text, /secret|route/)
      assert.deepEqual(seen, ['first request', 'first answer 503'])
    })
  }
})

describe('the end of a request', () => {
  it('is told once: of answers, of streams, and of clients that go away', async (test) => {
    const ends: string[] = []
    const watch: Stage = {
      name: 'watch',
      priority: 0,
      onRequest: ({ path }) => (path === '/hangs' ? 'handled' : undefined),
      onFinish: ({ path }: Exchange, { status, durationMs }: Finish) => {
        assert.ok(durationMs >= 0)
        ends.push(`${path} ${status}`)
      },
    }
    const { client, url } = await serve(test, [watch])
    await client.send('GET', '/plain')
    await client.send('GET', '/nothing')
    for (const path of ['/stream', '/hangs']) {
      const socket = connect(Number(url.port), url.hostname)
      socket.on('error', () => undefined)
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
      if (path === '/stream') await new Promise((resolve) => socket.once('data', resolve))
      else await new Promise((resolve) => socket.once('connect', () => setImmediate(resolve)))
      if (path === '/hangs') await client.send('GET', '/plain')
      socket.destroy()
      await until('the end is told', () => ends.some((each) => each.startsWith(path)))
    }
    assert.deepEqual([...ends].sort(), [
      '/hangs 499',
      '/nothing 404',
      '/plain 200',
      '/plain 200',
      '/stream 200',
    ])
  })
})

describe('a target that can be read in two ways', () => {
  const targets = [
    '/a/../plain',
    '/a/%2e%2e/plain',
    '/a/.%2E/plain',
    '/./plain',
    '/a\\b',
    '/plain#x',
    '/a/..',
    'http://elsewhere/plain',
  ]
  for (const target of targets) {
    it(`${target} is refused before any stage`, async (test) => {
      const seen: string[] = []
      const { url } = await serve(test, [recorder(seen, 'only', 0)])
      const socket = connect(Number(url.port), url.hostname)
      socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      assert.match(text, /^HTTP\/1\.1 400 /)
      assert.deepEqual(
        seen.filter((each) => each.includes('request')),
        [],
      )
    })
  }

  it('is told from one that only looks odd', async (test) => {
    const seen: string[] = []
    const paths: string[] = []
    const watch: Stage = {
      name: 'watch',
      priority: 0,
      onRequest: ({ path }) => {
        paths.push(path)
        return undefined
      },
    }
    const { client } = await serve(test, [watch, recorder(seen, 'x', 1)])
    for (const target of [
      '/%70lain',
      '/plain?a=../..&b=%00',
      '/a..b/...',
      '//plain',
      '/a%2Fb%25',
      '/%e2%82%ac',
      '/a%2f..%5c',
    ])
      await client.send('GET', target)
    assert.deepEqual(paths, ['/plain', '/plain', '/a..b/...', '//plain', '/a%2Fb%25', '/€', '/a%2f..\\'])
  })
})

describe('a request that rules could not be trusted with', () => {
  const cases: readonly (readonly [string, string, number, string])[] = [
    ['TRACE', 'TRACE /plain HTTP/1.1\r\nhost: x', 405, 'METHOD_NOT_ALLOWED'],
    ['two hosts', 'GET /plain HTTP/1.1\r\nhost: x\r\nHOST: y', 400, 'HOST_REPEATED'],
    ['the same host twice', 'GET /plain HTTP/1.1\r\nhost: x\r\nhost: x', 400, 'HOST_REPEATED'],
  ]
  for (const [name, head, status, code] of cases) {
    it(`${name} is refused, and stages of answers see it`, async (test) => {
      const seen: string[] = []
      const { url } = await serve(test, [recorder(seen, 'only', 0)])
      const socket = connect(Number(url.port), url.hostname)
      socket.write(`${head}\r\nconnection: close\r\n\r\n`)
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(text, new RegExp(code))
      assert.deepEqual(seen, [`only answer ${status}`])
    })
  }

  it('a host that is not in the list is refused, whatever else the request says', async (test) => {
    const seen: string[] = []
    const { client } = await serve(test, [recorder(seen, 'only', 0)], { hosts: ['app.example.com'] })
    const rebound = await client.send('GET', '/plain', { headers: { host: 'evil.example:80' } })
    assert.deepEqual([rebound.status, rebound.json().code], [421, 'HOST_NOT_SERVED'])
    assert.match(String(rebound.json().error), /"evil\.example:80" is not served here.+gateway\.hosts/)
    const long = await client.send('GET', '/plain', { headers: { host: `${'x'.repeat(5000)}.example` } })
    assert.deepEqual([long.status, long.text.length < 300], [421, true])
    assert.deepEqual(seen, ['only answer 421', 'only answer 421'])
    const own = await client.send('GET', '/plain', { headers: { host: 'APP.example.com:8080' } })
    assert.equal(own.status, 200)
  })
})
