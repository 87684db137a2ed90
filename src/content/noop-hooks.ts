import type { HookRunner } from './hook-runner.js'

/** The hooks of a host without plugins: everything passes unchanged. */
export const noHooks: HookRunner = Object.freeze({
  before: async ({ row }) => row,
  enqueue: async () => undefined,
  committed: () => undefined,
  beforeRead: async () => ({ answer: undefined, state: {} }),
  afterRead: async () => ({}),
} satisfies HookRunner)
