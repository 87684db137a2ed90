/**
 * When plugin code runs.
 *
 *   manifest ─▶ (discarded)                     reading plugin_info, nothing may have an effect
 *   module ─▶ init ─▶ request … ─▶ shutdown     the life of a generation
 *
 * `module` is the top level of init.lua (once per VM), `init` is on_init, `request` an HTTP handler with its
 * middleware, `shutdown` is on_shutdown.
 */
export const phases = ['manifest', 'module', 'init', 'request', 'shutdown'] as const

export type Phase = (typeof phases)[number]

/** How each phase is named in messages to plugin authors. */
export const phaseNames: Readonly<Record<Phase, string>> = {
  manifest: 'at module scope',
  module: 'at module scope',
  init: 'in on_init',
  request: 'in a request handler',
  shutdown: 'in on_shutdown',
}
