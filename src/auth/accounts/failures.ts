import { Area } from '../../areas/area.js'
import { accountLimits } from '../../base/limits/identity.js'
import { bodyNotJson, bodyTooLarge, invalidRequest, operationNotFound } from './errors.js'

/** How the area answers failures. */
export const accountAnswers = new Area({
  name: 'auth',
  bodyBytesMax: accountLimits.bodyBytesMax,
  mayBodyBeEmpty: true,
  headers: { 'x-frame-options': 'DENY' },
  refusals: {
    requestInvalid: invalidRequest,
    bodyTooLarge,
    bodyNotJson,
    pathUnknown: operationNotFound,
  },
  // 503 is about the load, or the database.
  isPlain: ({ status }) => status !== 500,
  envelope: ({ code, message }, { id }) => ({ error: { code, message, request_id: id } }),
})
