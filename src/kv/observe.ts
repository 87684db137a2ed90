import type { Kv, KvAtomic, KvCommitResult, KvNamespaces, KvQueues, KvSearch } from './kv.js'

/** One call that has ended. */
export interface ObservedCall {
  /** e.g. `get` or `queue_ack`; one of few. */
  readonly operation: string
  /** Milliseconds that it took. */
  readonly ms: number
  /** False when it failed. */
  readonly ok: boolean
}

/** Is told of each call; must not throw. */
export type ObserveCall = (call: ObservedCall) => void

/**
 * Passes all calls of a store on, and tells how they ended. Reading a list is one call from its first entry to its
 * last, the time of its reader included. Watches and waiting for messages have no end that says anything, and are not
 * told.
 */
export function observeNamespaces(namespaces: KvNamespaces, observe: ObserveCall): KvNamespaces {
  return { namespace: (name) => observeKv(namespaces.namespace(name), observe) }
}

function observeKv(kv: Kv, observe: ObserveCall): Kv {
  const timed = createTimer(observe)
  return {
    namespace: kv.namespace,
    get: (...given) => timed('get', () => kv.get(...given)),
    getMany: (...given) => timed('get', () => kv.getMany(...given)),
    set: (...given) => timed('set', () => kv.set(...given)),
    delete: (...given) => timed('delete', () => kv.delete(...given)),
    deleteMany: (...given) => timed('delete', () => kv.deleteMany(...given)),
    list(...given) {
      const list = kv.list(...given)
      return {
        get cursor() {
          return list.cursor
        },
        [Symbol.asyncIterator]: () => observeList(list, observe),
      }
    },
    paginate: (...given) => timed('paginate', () => kv.paginate(...given)),
    count: (...given) => timed('count', () => kv.count(...given)),
    atomic: () => observeAtomic(kv.atomic(), timed),
    transaction: (...given) => timed('transaction', () => kv.transaction(...given)),
    watch: (...given) => kv.watch(...given),
    changes: (...given) => timed('changes', () => kv.changes(...given)),
    queues: observeQueues(kv.queues, timed),
    search: observeSearch(kv.search, timed),
  }
}

type Timer = <T>(operation: string, call: () => Promise<T>) => Promise<T>

function createTimer(observe: ObserveCall): Timer {
  return async (operation, call) => {
    const startMs = performance.now()
    let ok = false
    try {
      const result = await call()
      ok = true
      return result
    } finally {
      observe({ operation, ms: performance.now() - startMs, ok })
    }
  }
}

async function* observeList<T>(list: AsyncIterable<T>, observe: ObserveCall): AsyncGenerator<T, void> {
  const startMs = performance.now()
  // A reader that stops early has what it wanted.
  let ok = true
  try {
    yield* list
  } catch (error) {
    ok = false
    throw error
  } finally {
    observe({ operation: 'list', ms: performance.now() - startMs, ok })
  }
}

/** Only the commit is a call: what comes before is kept in memory. */
function observeAtomic(atomic: KvAtomic, timed: Timer): KvAtomic {
  const commit = (): Promise<KvCommitResult> => timed('atomic_commit', () => atomic.commit())
  return new Proxy(atomic, {
    get(target, name, receiver) {
      if (name === 'commit') return commit
      const member = Reflect.get(target, name, target) as unknown
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const result = Reflect.apply(member, target, given) as unknown
        return result === target ? receiver : result
      }
    },
  })
}

function observeQueues(queues: KvQueues, timed: Timer): KvQueues {
  return {
    enqueue: (...given) => timed('queue_enqueue', () => queues.enqueue(...given)),
    dequeue: (...given) => timed('queue_dequeue', () => queues.dequeue(...given)),
    next: (...given) => queues.next(...given),
    ack: (...given) => timed('queue_ack', () => queues.ack(...given)),
    nack: (...given) => timed('queue_nack', () => queues.nack(...given)),
    extend: (...given) => timed('queue_extend', () => queues.extend(...given)),
    stats: (...given) => timed('queue_stats', () => queues.stats(...given)),
    deadLetters: (...given) => timed('queue_dlq', () => queues.deadLetters(...given)),
    deadLetter: (...given) => timed('queue_dlq', () => queues.deadLetter(...given)),
    requeue: (...given) => timed('queue_requeue', () => queues.requeue(...given)),
    deleteDeadLetter: (...given) => timed('queue_dlq_delete', () => queues.deleteDeadLetter(...given)),
    purgeDeadLetters: (...given) => timed('queue_dlq_delete', () => queues.purgeDeadLetters(...given)),
  }
}

function observeSearch(search: KvSearch, timed: Timer): KvSearch {
  return {
    createIndex: (...given) => timed('index_create', () => search.createIndex(...given)),
    removeIndex: (...given) => timed('index_remove', () => search.removeIndex(...given)),
    indexes: (...given) => timed('index_list', () => search.indexes(...given)),
    search: (...given) => timed('search', () => search.search(...given)),
  }
}
