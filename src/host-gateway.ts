import type { FastifyRequest } from 'fastify'
import { createIdentityStage } from './gateway/identity-stage.js'
import { Pipeline } from './gateway/pipeline.js'
import type { User } from './identity/authenticator.js'
import type { Logger } from './telemetry/logger.js'

/** What the gateway needs of its host. */
export interface GatewayMaterial {
  readonly log: Logger
  authenticate(request: FastifyRequest): User | undefined
  clientIp(request: FastifyRequest): string
}

/** Puts the inbound gateway together. */
export function composeGateway({ log, authenticate, clientIp }: GatewayMaterial): Pipeline {
  return new Pipeline({ stages: [createIdentityStage()], log, authenticate, clientIp })
}
