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
