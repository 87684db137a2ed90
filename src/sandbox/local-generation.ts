import { executorLimits } from '../base/limits/sandbox.js'
import type { Vm, VmCall, VmResult } from './vm.js'

/** A call that the executor has received; it is claimed only when a VM is there for it. */
export interface QueuedCall {
  readonly claim: number
  readonly call: VmCall
}

/** How a generation gets and uses its VMs; implemented by the executor. */
export interface VmKeeper<Services> {
  /** Builds a VM with the plugin loaded; rejects with the Lua message when that fails. */
  build(): Promise<Vm<Services>>
  /** Claims the call; false when the host has taken it back. */
  claim(queued: QueuedCall): boolean
  finished(queued: QueuedCall, result: VmResult): void
  retired(vm: Vm<Services>): void
}

/** The VMs of one generation inside one executor thread. */
export class LocalGeneration<Services> {
  readonly #keeper: VmKeeper<Services>
  readonly #idle: Vm<Services>[] = []
  readonly #waiting: QueuedCall[] = []
  #capacity = 0
  #alive = 0
  #building = false
  #closed = false
  #reserveTimer: NodeJS.Timeout | undefined

  constructor(keeper: VmKeeper<Services>) {
    this.#keeper = keeper
  }

  /**
   * Sets how many VMs there may be. The first is built at once, or when nothing more urgent is to be done; the others
   * when a call finds all of them suspended.
   */
  prepare(capacity: number, atOnce: boolean): void {
    this.#capacity = Math.max(this.#capacity, capacity)
    if (atOnce) this.#fill()
    else this.#fillLater()
  }

  /** Takes over a VM that was built elsewhere. */
  adopt(vm: Vm<Services>): void {
    this.#alive += 1
    this.#idle.push(vm)
    this.#serve()
  }

  call(queued: QueuedCall): void {
    const vm = this.#idle.pop()
    if (vm !== undefined) {
      this.#run(vm, queued)
      return
    }
    this.#waiting.push(queued)
    this.#capacity = Math.max(this.#capacity, 1)
    this.#fill()
  }

  /** Drops the idle VMs; busy ones are dropped when their call ends. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#reserveTimer)
    this.#idle.length = 0
    for (const queued of this.#waiting.splice(0)) this.#refuse(queued, 'CLOSED', 'the plugin was unloaded')
  }

  #refuse(queued: QueuedCall, code: 'CLOSED' | 'ERROR', message: string): void {
    if (this.#keeper.claim(queued)) this.#keeper.finished(queued, { ok: false, code, message })
  }

  #run(vm: Vm<Services>, queued: QueuedCall): void {
    if (!this.#keeper.claim(queued)) {
      this.#release(vm)
      return
    }
    vm.run(queued.call, (result) => {
      this.#keeper.finished(queued, result)
      this.#release(vm)
    })
  }

  #release(vm: Vm<Services>): void {
    if (vm.dead === undefined && !this.#closed) {
      this.#idle.push(vm)
      this.#serve()
      return
    }
    this.#alive -= 1
    if (vm.dead !== undefined) this.#keeper.retired(vm)
    if (this.#idle.length === 0) this.#fill()
    else this.#fillLater()
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const vm = this.#idle.pop()
      const queued = this.#waiting.shift()
      if (vm === undefined || queued === undefined) {
        if (queued !== undefined) this.#waiting.unshift(queued)
        return
      }
      this.#run(vm, queued)
    }
  }

  #fillLater(): void {
    if (!this.#wantsVm) return
    this.#reserveTimer ??= setTimeout(() => {
      this.#reserveTimer = undefined
      this.#fill()
    }, executorLimits.reservePauseMs)
  }

  get #wantsVm(): boolean {
    if (this.#closed || this.#building || this.#alive >= this.#capacity) return false
    return this.#alive === 0 || this.#waiting.length > 0
  }

  #fill(): void {
    if (!this.#wantsVm) return
    this.#building = true
    this.#keeper.build().then(
      (vm) => {
        this.#building = false
        if (this.#closed) return
        this.adopt(vm)
        this.#fill()
      },
      (error: unknown) => {
        // Not tried again until a call needs it: code that cannot load must not keep the thread busy.
        this.#building = false
        const message = error instanceof Error ? error.message : String(error)
        for (const queued of this.#waiting.splice(0)) this.#refuse(queued, 'ERROR', message)
      },
    )
  }
}
