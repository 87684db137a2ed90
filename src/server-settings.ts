import { readFileSync } from 'node:fs'
import { parseDuration } from './base/durations.js'
import { serverLimits } from './base/limits.js'
import type { Config } from './config/schema.js'

/** What a server takes from its clients; the names are those of the section `server` of the configuration. */
export interface ServerSettings {
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly connectionTimeoutMs: number
  readonly stallTimeoutMs: number
  /** 0 sets no limit. */
  readonly maxRequestsPerSocket: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly maxUnreadBytes: number
  readonly maxHeaderSize: number
  readonly maxUrlLength: number
  readonly maxQueryParameters: number
  readonly bodyLimit: number
}

/**
 * Reads the settings of a server from the configuration.
 *
 * @param openFilesMax Files that the process may have open; undefined where nobody knows.
 * @returns `maxConnections` is lowered to what the process can open; it and the limit per address are filled in where they are 0.
 */
export function readServerSettings(
  { server }: Pick<Config, 'server'>,
  openFilesMax: number | undefined,
): ServerSettings {
  const openable = Math.floor((openFilesMax ?? Number.POSITIVE_INFINITY) * serverLimits.openFilesShare)
  const maxConnections = Math.max(1, Math.min(server.maxConnections || serverLimits.connectionsMax, openable))
  return {
    headersTimeoutMs: parseDuration(server.headersTimeout),
    requestTimeoutMs: parseDuration(server.requestTimeout),
    keepAliveTimeoutMs: parseDuration(server.keepAliveTimeout),
    connectionTimeoutMs: parseDuration(server.connectionTimeout),
    stallTimeoutMs: parseDuration(server.stallTimeout),
    maxRequestsPerSocket: server.maxRequestsPerSocket,
    maxConnections,
    maxConnectionsPerAddress: server.maxConnectionsPerAddress || Math.ceil(maxConnections / 2),
    maxUnreadBytes: server.maxUnreadBytes,
    maxHeaderSize: server.maxHeaderSize,
    maxUrlLength: server.maxUrlLength,
    maxQueryParameters: server.maxQueryParameters,
    bodyLimit: server.bodyLimit,
  }
}

/** Files and sockets that this process may have open at once; undefined where the system does not say. */
export function readOpenFilesMax(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
