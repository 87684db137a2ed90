import type { FastifyRequest } from 'fastify'
import { rawQuery, routedPath } from '../gateway/request-path.js'
import { toUser, type User } from '../identity/user.js'
import type { HostAuth } from './auth.js'
import type { HostGateway } from './gateway.js'
import type { HealthSources } from './health.js'
import type { HostParts } from './parts.js'
import { productVersion } from './version.js'

/** What health needs beside the parts of the host. */
export interface HealthMaterial extends Pick<HealthSources, 'database' | 'lifecycle'> {
  readonly parts: Pick<HostParts, 'manager'>
  readonly gateway: Pick<HostGateway, 'troubles'>
  readonly auth: Pick<HostAuth, 'status' | 'countHeld' | 'prove'>
  authenticate(request: FastifyRequest): User | undefined
  clientIp(request: FastifyRequest): string
}

/** Collects what health is found out from. */
export function healthSources(material: HealthMaterial): HealthSources {
  const { database, lifecycle, gateway, auth, authenticate, clientIp } = material
  const { manager } = material.parts
  return {
    version: productVersion(),
    database,
    lifecycle,
    plugins: () => manager.health(),
    stages: () => gateway.troubles(),
    heldParties: () => auth.countHeld(),
    details: {
      database,
      administration: manager,
      problems: () => manager.statusReport().problems,
      access: () => auth.status(),
      identify: async (request) => authenticate(request) ?? (await prove(request)),
    },
  }

  /** Rules make the paths of health public more often than not. */
  async function prove(request: FastifyRequest): Promise<User | undefined> {
    const { raw, id } = request
    const url = raw.url ?? '/'
    const identity = await auth.prove(raw, {
      id,
      method: request.method,
      path: routedPath(url),
      query: rawQuery(url),
      headers: raw.headers,
      rawHeaders: raw.rawHeaders,
      ip: clientIp(request),
    })
    return identity && toUser(identity)
  }
}
