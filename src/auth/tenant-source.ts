import type { AuthRequest } from './authenticator.js'

/** Where a request names a tenant: in a header, in its query, or in the n-th segment of its path, from 1. */
export type TenantSource =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'segment'; readonly number: number }

/** Reads `header:x-tenant-id`, `query:tenant` or `segment:3`; undefined for anything else. */
export function parseTenantSource(text: string): TenantSource | undefined {
  const [, kind, name = ''] = /^(header|query|segment):([\w-]{1,64})$/.exec(text) ?? []
  if (kind === 'header') return { kind, name: name.toLowerCase() }
  if (kind === 'query') return { kind, name }
  return kind === 'segment' && /^[1-9]\d?$/.test(name) ? { kind, number: Number(name) } : undefined
}

/**
 * Gives the tenant that a request names; undefined when it names none. A header or parameter that comes twice, and a
 * segment without text, name one that nobody belongs to.
 */
export function tenantOf(source: TenantSource, { headers, query, path }: AuthRequest): string | undefined {
  switch (source.kind) {
    case 'header': {
      const value = headers[source.name]
      return Array.isArray(value) ? value.join(',') : value
    }
    case 'query': {
      const values = new URLSearchParams(query).getAll(source.name)
      return values.length === 0 ? undefined : values.join(',')
    }
    default: {
      // Servers may join slashes, so a segment without text does not stand for no tenant, but for nobody's.
      const segment = path.split('/')[source.number]
      return segment === undefined ? undefined : decoded(segment)
    }
  }
}

/** Reads a segment as handlers get it: the router leaves the encoding of reserved characters to them. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
