/** An expected failure of a database function: the plugin gets `nil, message`. */
export class DbFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DbFailure'
  }
}
