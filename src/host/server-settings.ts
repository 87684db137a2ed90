import { parseDuration } from '../base/durations.js'
import { serverLimits } from '../base/limits/server.js'
import type { Config } from '../config/schema.js'
import type { ServerSettings } from '../server/settings.js'

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
