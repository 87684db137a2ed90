import type { OutboundMethod } from '../../outbound/outbound-sender.js'
import type { OutboundTarget } from '../../outbound/outbound-url.js'

/** Topic under which code of plugins asks the host to send a request. */
export const requestTopic = 'request.send'

/** A request on its way from a VM to the host. */
export interface WireRequest {
  readonly method: OutboundMethod
  readonly target: OutboundTarget
  /** Headers as the plugin gave them, name and value by turns. */
  readonly headers: readonly string[]
  /** Undefined when there is none, and when it is larger than may be sent: then only its size crosses. */
  readonly body: Uint8Array | undefined
  readonly bodyBytes: number
  /** True when the body is JSON that the host side names as such. */
  readonly isJson: boolean
  /** Undefined leaves it to the configuration. */
  readonly timeoutMs: number | undefined
}

/** What the host answers. */
export type WireAnswer =
  | { readonly error: string }
  | {
      readonly status: number
      /** Name in lower case and value by turns. */
      readonly headers: readonly string[]
      readonly body: Uint8Array
    }
