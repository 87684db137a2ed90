/**
 * When plugin code runs.
 *
 *   manifest ─▶ (discarded)                     reading plugin_info, nothing may have an effect
 *   module ─▶ init ─▶ request … ─▶ shutdown     the life of a generation
 *
 * `module` is the top level of init.lua (once per VM), `init` is on_init, `request` an HTTP handler with its
 * middleware, `shutdown` is on_shutdown. Hooks run between them: `before_hook` ahead of a write, `after_hook` once it
 * is committed, `read_hook` around the delivery of content. `message` is the handler of a queue, or of changes of the
 * key-value store. `stage` is a function in front of or behind everything that the host serves, and a function that
 * gives the key of a rate limit: requests of everybody wait for it. `test` is a test of the plugin's author.
 */
export const phases = [
  'manifest',
  'module',
  'init',
  'request',
  'shutdown',
  'before_hook',
  'after_hook',
  'read_hook',
  'message',
  'stage',
  'test',
] as const

export type Phase = (typeof phases)[number]

/** How each phase is named in messages to plugin authors. */
export const phaseNames: Readonly<Record<Phase, string>> = {
  manifest: 'at module scope',
  module: 'at module scope',
  init: 'in on_init',
  request: 'in a request handler',
  shutdown: 'in on_shutdown',
  before_hook: 'inside before-hooks',
  after_hook: 'in an after-hook',
  read_hook: 'in a read hook',
  message: 'in a queue handler',
  stage: 'in a stage of the gateway',
  test: 'in a test',
}

/** Where code has the database, the network and time of its own: everywhere but at module scope and in before-hooks. */
export const workPhases: readonly Phase[] = [
  'init',
  'request',
  'shutdown',
  'after_hook',
  'read_hook',
  'message',
  'test',
]

/**
 * Where code has the database and the key-value store. A stage of the gateway has them, within its few operations, to
 * look something up; it has no network and no core tables, as both could lead back to the stage.
 */
export const storagePhases: readonly Phase[] = [...workPhases, 'stage']
