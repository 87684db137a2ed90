import { Area } from '../areas/area.js'
import { adminLimits } from '../base/limits/server.js'
import {
  bodyTooLarge,
  internalErrorText,
  invalidRequest,
  loadFailedText,
  operationNotFound,
  plainServerErrors,
  unsupportedMediaType,
} from './errors.js'

/** How the admin API answers failures. A 5xx text never carries Lua text, paths or SQL, also not to an admin. */
export const adminAnswers = new Area({
  name: 'admin',
  bodyBytesMax: adminLimits.bodyBytesMax,
  headers: { 'x-frame-options': 'DENY' },
  refusals: {
    requestInvalid: invalidRequest,
    bodyTooLarge,
    bodyNotJson: unsupportedMediaType,
    pathUnknown: operationNotFound,
  },
  isPlain: ({ code }) => plainServerErrors.includes(code),
  substitute: ({ code }) => (code === 'PLUGIN_LOAD_FAILED' ? loadFailedText : internalErrorText),
  envelope: ({ code, message, details }, { id }) => ({
    error: { code, message, request_id: id },
    ...(details?.errors === undefined ? {} : { errors: details.errors }),
  }),
})
