import { Area } from '../../areas/area.js'
import { monitorLimits } from '../../base/limits/gateway.js'
import {
  bodyNotJson,
  bodyTooLarge,
  pathUnknown,
  requestInvalid,
} from '../../gateway/routes/routes-failures.js'

/** How the area of policies answers failures: as the gateway, and with all that is wrong with what was sent. */
export const policyAnswers = new Area({
  name: 'policies',
  bodyBytesMax: monitorLimits.bodyBytesMax,
  refusals: { requestInvalid, bodyTooLarge, bodyNotJson, pathUnknown },
  // 503 and its like are about the load, or about others.
  isPlain: ({ status }) => status !== 500,
  envelope: ({ code, message, details }) => ({
    error: message,
    code,
    ...(details?.problems === undefined ? {} : { problems: details.problems }),
  }),
})
