/** Limits of the requests that plugins send to other servers; what an operator may change are the keys `plugin_request`. */
export const outboundLimits = {
  /** Domains that one plugin may register; one more is refused at registration. */
  domainsMax: 50,
  /** Characters of a domain; a longer one is refused at registration. */
  domainCharactersMax: 253,
  /** Characters of what a plugin says a domain is for; a longer text is refused at registration. */
  descriptionCharactersMax: 500,
  /** Characters of a URL; a longer one raises. */
  urlCharactersMax: 8192,
  /** First port that may be asked for, that of https. Where the configuration allows loopback, all its ports may be. */
  httpsPort: 443,
  /** Second port that may be asked for, the usual one of https beside it. */
  alternativePort: 8443,
  /** Headers that a plugin may set on one request; with more it is not sent. */
  requestHeadersMax: 64,
  /** Bytes of names and values of those headers together; with more the request is not sent. */
  requestHeaderBytesMax: 16 * 1024,
  /** Bytes of the headers of a response; with more the request fails. */
  responseHeaderBytesMax: 16 * 1024,
  /** Pieces that the body of a response may come in; a server that sends it byte by byte costs more than its size says. */
  responsePiecesMax: 16_384,
  /** Shortest time that a plugin can ask for; less counts as this. */
  timeoutMsMin: 1000,
  /** Time that stays to a call after its request has timed out, so that it can answer in its own words. */
  answerMarginMs: 100,
  /** Requests of one plugin at once; one more is refused. */
  concurrentPerPluginMax: 6,
  /** Requests of all plugins at once; one more is refused. */
  concurrentMax: 64,
  /** Tokens of a rate limit that can be saved up; a rate of one a second or less saves up one. */
  burstMax: 5,
  /** Time that one name server has for its answer. */
  dnsTryMs: 2000,
  /** Times that each name server is asked. */
  dnsTriesMax: 2,
  /** Addresses of one name that are tried one after the other. */
  addressesMax: 8,
  /** Time after which the next address is tried. */
  connectTryMs: 2000,
} as const
