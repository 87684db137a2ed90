import { Type } from '@sinclair/typebox'
import { durationRule, type Rule } from './value-rules.js'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** What stands in the object `server` of the file. Names are those of Node and Fastify where they have one. */
export const serverSettings = {
  host: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'Address or host name to listen on. "0.0.0.0" and "::" listen on every interface.',
  }),
  port: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'TCP port to listen on. 0 takes a free one and prints it.',
  }),
  headersTimeout: Type.String({
    default: '20s',
    description: 'Time in which the head of a request has to arrive; a slower client is answered 408.',
  }),
  requestTimeout: Type.String({
    default: '5m',
    description:
      'Time in which a request has to arrive with its body; a slower client is answered 408. Longer than headersTimeout; raise it for large uploads through the proxy.',
  }),
  keepAliveTimeout: Type.String({
    default: '72s',
    description:
      'Time for which a connection waits for its next request; longer than that of a proxy in front.',
  }),
  connectionTimeout: Type.String({
    default: '310s',
    description:
      'Time without a byte in either direction after which a connection is closed; longer than plugin_timeout.',
  }),
  stallTimeout: Type.String({
    default: '60s',
    description:
      'Time in which a client has to take some of what waits for it, be it an answer, an event or a WebSocket frame; then it is cut off.',
  }),
  maxRequestsPerSocket: Type.Integer({
    default: 10_000,
    minimum: 0,
    maximum: 1_000_000_000,
    description:
      'Requests on one connection; the last one is answered with `Connection: close`. 0 sets no limit.',
  }),
  maxConnections: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    description:
      'Connections that are open at once, at most three quarters of the files that the process may open; one more is answered 503. 0 takes 16,384, or as many as the process may open.',
  }),
  maxConnectionsPerAddress: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    description:
      'Connections that one client address may have, for IPv6 its /64; one more is answered 503. 0 takes half of maxConnections. Those of plugin_trusted_proxies are not counted.',
  }),
  maxUnreadBytes: Type.Integer({
    default: 256 * mebibyte,
    minimum: mebibyte,
    maximum: 1024 * 1024 * mebibyte,
    description:
      'Bytes of answers that may wait for all clients together; beyond them those that have not read for longest, with most to read, are cut off.',
  }),
  maxHeaderSize: Type.Integer({
    default: 16 * kibibyte,
    minimum: kibibyte,
    maximum: mebibyte,
    description:
      'Bytes of the head of a request, its URL included; a larger one is answered 431, or 414 if it is the URL.',
  }),
  maxUrlLength: Type.Integer({
    default: 8192,
    minimum: 64,
    maximum: mebibyte,
    description: 'Characters of path and query of a request; a longer one is answered 414.',
  }),
  maxQueryParameters: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 100_000,
    description:
      'Parameters in the query of a request; with more it is answered 400. Names are flat: "a[b]" is one like any other.',
  }),
  bodyLimit: Type.Integer({
    default: mebibyte,
    minimum: 0,
    maximum: 1024 * mebibyte,
    description:
      'Bytes of a request body where a route has no limit of its own; a larger one is answered 413. Bodies that the proxy sends on are not counted.',
  }),
}

const dayMs = 24 * 3_600_000

/** Rules of the server that JSON Schema cannot say, by key. */
export const serverRules: Readonly<Record<string, Rule>> = {
  'server.headersTimeout': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "20s"'),
  'server.requestTimeout': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "5m"'),
  'server.keepAliveTimeout': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "72s"'),
  'server.connectionTimeout': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "310s"'),
  'server.stallTimeout': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "60s"'),
}
