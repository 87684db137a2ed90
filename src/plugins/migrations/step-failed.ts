/** A step failed; nothing of it has stayed. */
export class StepFailed extends Error {
  readonly version: number

  constructor(version: number, reason: string) {
    super(reason)
    this.name = 'StepFailed'
    this.version = version
  }
}
