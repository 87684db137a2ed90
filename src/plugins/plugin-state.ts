/**
 * The life of a plugin in this host:
 *
 *   discovered ─▶ loading ─▶ running ─▶ stopped (disabled by an admin, or the host shut down)
 *                    │          │
 *                    └──────────┴──▶ failed (with a reason)
 */
export const pluginStates = ['discovered', 'loading', 'running', 'failed', 'stopped'] as const

export type PluginState = (typeof pluginStates)[number]
