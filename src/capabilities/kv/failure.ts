/** An expected failure of a function of `kv`: the plugin gets `nil, message`. */
export class KvFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KvFailure'
  }
}
