import { HostError } from '../../src/base/errors.js'
import type { DeliveryFilter } from '../../src/plugins/hooks/delivery-store.js'
import type {
  HookAdministration,
  HookDeliveryListing,
  HookDeliveryPage,
} from '../../src/plugins/hooks/hook-administration.js'
import type { HookBreakerListing, HookReference } from '../../src/plugins/hooks/hook-breakers.js'

/** A `HookAdministration` over plain lists that records what was asked and done, and by whom. */
export class FakeHookAdministration implements HookAdministration {
  readonly done: string[] = []
  readonly filters: DeliveryFilter[] = []
  listings: HookDeliveryListing[] = []
  breakerList: HookBreakerListing[] = []
  next: string | undefined

  async deliveries(filter: DeliveryFilter): Promise<HookDeliveryPage> {
    this.filters.push(filter)
    return { deliveries: this.listings, next: this.next }
  }

  async retryDelivery(id: number, actor: string): Promise<void> {
    this.#change('retry', id, actor)
  }

  async discardDelivery(id: number, actor: string): Promise<void> {
    this.#change('discard', id, actor)
  }

  breakers(): readonly HookBreakerListing[] {
    return this.breakerList
  }

  resetBreaker({ plugin, event, table }: HookReference, actor: string): void {
    this.done.push(`reset ${plugin} ${event}:${table} by ${actor}`)
  }

  #change(action: string, id: number, actor: string): void {
    if (!this.listings.some((listing) => listing.id === String(id))) {
      throw new HostError('HOOK_DELIVERY_NOT_FOUND', 404, `There is no delivery ${id}.`)
    }
    this.done.push(`${action} ${id} by ${actor}`)
  }
}
