/** Tells whether a request that names this host, as its header `Host` says it, may come in. */
export type HostList = (header: string | undefined) => boolean

/**
 * Creates the list of the hosts that are served. Ports are not compared: whoever chooses the name of a host chooses
 * its port as well.
 *
 * @param entries Names such as `app.example.com`, `*.example.com` for everything below a name, addresses such as
 *   `127.0.0.1` or `[::1]`; none lets every host in.
 */
export function createHostList(entries: readonly string[]): HostList {
  if (entries.length === 0) return () => true
  const names = entries.map((entry) => entry.toLowerCase())
  const exact = new Set(names.filter((name) => !name.startsWith('*')))
  const suffixes = names.filter((name) => name.startsWith('*')).map((name) => name.slice(1))
  return (header) => {
    const host = hostNameOf(header ?? '')
    return exact.has(host) || suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix))
  }
}

/** The name in a header `Host`: in lower case, without port and without the dot that ends a full name. */
export function hostNameOf(header: string): string {
  return header.trim().toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}
