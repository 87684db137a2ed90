import type { HookDeliveryState } from '../../database/tables.js'
import type { DeliveryFilter } from './delivery-store.js'
import type { HookBreakerListing, HookReference } from './hook-breakers.js'

/** One run of an after-hook that is owed. Field names are those of the admin API. */
export interface HookDeliveryListing {
  readonly id: string
  readonly plugin: string
  readonly event: string
  /** Table that the hook is registered for; `*` for every table. */
  readonly table: string
  /** Table that was written. */
  readonly written_table: string
  /** The request that wrote. */
  readonly request_id: string
  readonly state: HookDeliveryState
  readonly attempts: number
  /** Why the last try failed; empty when none has. */
  readonly error: string
  /** RFC 3339: when a pending one is tried next. */
  readonly due_at: string
  /** RFC 3339. */
  readonly created_at: string
}

/** One page of deliveries. */
export interface HookDeliveryPage {
  readonly deliveries: readonly HookDeliveryListing[]
  /** Number to ask for the next page with; undefined on the last one. */
  readonly next: string | undefined
}

/** What admins can do with deliveries of after-hooks and with the breakers of hooks. `actor` is logged. */
export interface HookAdministration {
  /** A page of deliveries, the oldest first. */
  deliveries(filter: DeliveryFilter): Promise<HookDeliveryPage>
  /**
   * Makes a delivery due now, with all its tries.
   *
   * @throws HostError HOOK_DELIVERY_NOT_FOUND (404), HOOK_DELIVERY_RUNNING (409).
   */
  retryDelivery(id: number, actor: string): Promise<void>
  /** Removes a delivery for good; errors as `retryDelivery`. */
  discardDelivery(id: number, actor: string): Promise<void>
  /** Breakers of approved hooks that have counted errors. */
  breakers(): readonly HookBreakerListing[]
  /**
   * Closes the breaker of a hook and forgets its errors.
   *
   * @throws HostError HOOK_NOT_FOUND (404).
   */
  resetBreaker(hook: HookReference, actor: string): void
}
