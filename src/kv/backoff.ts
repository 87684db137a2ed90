/** Milliseconds to wait after each failed try of a message that names no pauses: one try more than there are pauses. */
export const defaultBackoffMs: readonly number[] = [1000, 5000, 10_000]
