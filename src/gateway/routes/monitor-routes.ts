import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { canonicalIp } from '../../base/ip-address.js'
import { monitorLimits } from '../../base/limits/gateway.js'
import type { Monitor } from '../monitor/monitor.js'
import { readConfig, readStats } from '../monitor/overview.js'
import type { RequestLogQuery } from '../monitor/request-log.js'
import type { StageListing } from '../pipeline.js'
import { failureSchema } from './admin-area.js'
import { Query } from './query.js'
import {
  clearedSchema,
  configSchema,
  historySchema,
  logStatsSchema,
  logsSchema,
  pipelineSchema,
  statsSchema,
} from './schemas.js'

const tags = ['Gateway']
const requestsMax = 1_000_000

const logParameters = {
  limit: 'The newest so many of those that fit; 50 when it is missing, all with 0.',
  ip: 'Address of the client.',
  rateLimited: '`true` for those that a rate limit refused, `false` for the others.',
  statusRange: 'First digit of the status, e.g. `4`.',
  status: 'The status.',
  path: 'A part of the path.',
} as const

const historyParameters = {
  limit: `The newest so many; 60 when it is missing, all with 0, at most ${monitorLimits.historyMax}.`,
} as const

/** Adds what shows the gateway as a whole: its figures, its configuration, its requests and its stages. */
export function addMonitorRoutes(
  app: FastifyInstance,
  monitor: Monitor,
  pipeline: { list(): readonly StageListing[] },
): void {
  const { views, requestLog, streams } = monitor
  // A server waits for its answers to end before it is closed, and these would never end by themselves.
  app.addHook('preClose', (done) => {
    streams.close()
    done()
  })
  const sse = {
    tags,
    summary: 'Follow the figures of the gateway',
    description:
      'A stream of server-sent events without names: a snapshot at once, and one each second. A reader that is too slow for that misses some.',
    response: { 200: { content: { 'text/event-stream': { schema: Type.String() } } }, 503: failureSchema },
  }
  // A request for the head alone must not open a stream.
  app.get('/sse', { schema: sse, exposeHeadRoute: false }, (request, reply) => {
    readNone(request)
    return streams.open(reply)
  })
  app.get(
    '/stats',
    { schema: { tags, summary: 'Show the figures of the gateway', response: { 200: statsSchema } } },
    async (request) => {
      readNone(request)
      return readStats(views, requestLog)
    },
  )
  app.get(
    '/config',
    { schema: { tags, summary: 'Show how the gateway is configured', response: { 200: configSchema } } },
    async (request) => {
      readNone(request)
      return readConfig(views)
    },
  )
  app.get(
    '/pipeline',
    { schema: { tags, summary: 'List the stages in their order', response: { 200: pipelineSchema } } },
    async (request) => {
      readNone(request)
      return pipeline.list()
    },
  )
  addLogRoutes(app, monitor)
  addHistoryRoutes(app, monitor)
}

function addLogRoutes(app: FastifyInstance, { requestLog }: Monitor): void {
  app.get(
    '/logs',
    {
      schema: {
        tags,
        summary: 'List the last requests, newest first',
        description: 'Every request that has ended, whoever answered it.',
        querystring: textParameters(logParameters),
        response: { 200: logsSchema },
      },
    },
    async (request) => requestLog.query(readLogQuery(new Query(request, Object.keys(logParameters)))),
  )
  app.delete(
    '/logs',
    {
      config: { action: 'request_log.clear' },
      schema: { tags, summary: 'Forget the last requests', response: { 200: clearedSchema } },
    },
    async (request) => {
      readNone(request)
      requestLog.clear()
      return { cleared: true }
    },
  )
  app.get(
    '/logs/stats',
    { schema: { tags, summary: 'Show the last requests in numbers', response: { 200: logStatsSchema } } },
    async (request) => {
      readNone(request)
      return requestLog.stats()
    },
  )
}

function addHistoryRoutes(app: FastifyInstance, { history }: Monitor): void {
  app.get(
    '/metrics/history',
    {
      schema: {
        tags,
        summary: 'Show what the rate limit counted, second by second, newest first',
        description: 'Counted since the start of the server. Empty without a rate limit.',
        querystring: textParameters(historyParameters),
        response: { 200: historySchema },
      },
    },
    async (request) => {
      const query = new Query(request, Object.keys(historyParameters))
      return history.query(query.integer('limit', { min: 0, max: monitorLimits.historyMax }) ?? 60)
    },
  )
  app.delete(
    '/metrics/history',
    {
      config: { action: 'history.clear' },
      schema: { tags, summary: 'Remove the history', response: { 200: clearedSchema } },
    },
    async (request) => {
      readNone(request)
      await history.clear()
      return { cleared: true }
    },
  )
}

function readLogQuery(query: Query): RequestLogQuery {
  const ip = query.text('ip')
  return {
    limit: query.integer('limit', { min: 0, max: requestsMax }) ?? 50,
    ip: ip === undefined ? undefined : (canonicalIp(ip) ?? ip),
    rateLimited: query.flag('rateLimited'),
    statusRange: query.integer('statusRange', { min: 1, max: 9 }),
    status: query.integer('status', { min: 100, max: 999 }),
    path: query.text('path'),
  }
}

/** A parameter that does nothing is a mistake of its sender. */
function readNone(request: ConstructorParameters<typeof Query>[0]): void {
  new Query(request, [])
}

function textParameters(texts: Readonly<Record<string, string>>): TSchema {
  return Type.Object(
    Object.fromEntries(
      Object.entries(texts).map(([name, description]) => [name, Type.Optional(Type.Unsafe({ description }))]),
    ),
  )
}
