/** Limits of the configuration file. */
export const configLimits = {
  /** Bytes of a configuration file; a larger one is not read and the host does not start. */
  fileBytesMax: 1024 * 1024,
} as const
