import { defineError } from '../../base/errors.js'

/** A plugin asks for something that needs an approval and has none. */
export const gatewayNotApproved = defineError(
  'GATEWAY_NOT_APPROVED',
  403,
  'gateway: plugin "{plugin}" is not approved for "{access}"; ask for it with gateway_access = { "{access}" } in plugin_info, and let an admin approve it',
)

/** There is no shell that pages could be taken from. */
export const gatewayWithoutShell = defineError(
  'GATEWAY_WITHOUT_SHELL',
  409,
  'gateway: this host has no shell; an operator sets gateway.shellDir or gateway.shellRoutes in its configuration',
)

/** A look at the gateway waited for its plugin's other looks for longer than the call that asked for it has. */
export const gatewayReadTooLate = defineError(
  'GATEWAY_READ_TOO_LATE',
  503,
  'gateway: this look at the gateway waited for others of the plugin until the time of the call was over; look less often',
)
