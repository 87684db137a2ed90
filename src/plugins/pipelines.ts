import { everyTable } from '../capabilities/hooks/events.js'
import type { PipelineChain, PipelineQuery, PipelineStep } from './administration.js'
import { allHooks, type ChainedHook, hookChain } from './hook-chain.js'
import type { ServedPlugin } from './plugin-directory.js'

/** Tells whether the hooks of a plugin for an event and a table, as registered, are switched off by failures. */
export type HookBreakerProbe = (plugin: string, event: string, table: string) => boolean

/** Shows which hooks fire around which operations, in the order in which they do. */
export class Pipelines {
  readonly #plugins: () => readonly ServedPlugin[]
  readonly #isBreakerOpen: HookBreakerProbe

  /**
   * @param plugins Gives all plugins in the order in which they were started.
   * @param isBreakerOpen No breaker is open when missing.
   */
  constructor(plugins: () => readonly ServedPlugin[], isBreakerOpen: HookBreakerProbe = () => false) {
    this.#plugins = plugins
    this.#isBreakerOpen = isBreakerOpen
  }

  list(): readonly PipelineStep[] {
    return this.#plugins()
      .flatMap(allHooks)
      .map((hook) => this.#toStep(hook))
  }

  /** Lists the chains of a query by table, operation and phase; those without steps are left out. */
  dryRun({ table, operation }: PipelineQuery = {}): readonly PipelineChain[] {
    const plugins = this.#plugins()
    const hooks = plugins.flatMap(allHooks)
    const tables = table === undefined ? unique(hooks.map((hook) => hook.table)) : [table]
    const events = unique(hooks.map((hook) => hook.event)).filter(
      (event) => operation === undefined || partsOf(event).operation === operation,
    )
    return tables.flatMap((one) =>
      events.flatMap((event) => {
        const steps = hookChain(plugins, event, one).map((hook) => this.#toStep(hook))
        return steps.length === 0 ? [] : [{ table: one, ...partsOf(event), steps }]
      }),
    )
  }

  #toStep(hook: ChainedHook): PipelineStep {
    const { key, event, table, priority, plugin } = hook
    return {
      id: `${plugin.name}:${key}`,
      plugin: plugin.name,
      handler: key,
      table,
      ...partsOf(event),
      priority,
      disabledBy: this.#disabledBy(hook),
    }
  }

  #disabledBy({ plugin, event, table, approved }: ChainedHook): PipelineStep['disabledBy'] {
    if (!approved) return 'not_approved'
    if (plugin.state !== 'running') return 'plugin_not_running'
    return this.#isBreakerOpen(plugin.name, event, table) ? 'breaker_open' : undefined
  }
}

/** Sorted, with the stand-in for all tables first. */
function unique(names: readonly string[]): readonly string[] {
  const rank = (name: string) => (name === everyTable ? '' : name)
  return [...new Set(names)].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** Takes the name of an event apart: `before_create`. */
function partsOf(event: string): Pick<PipelineStep, 'phase' | 'operation'> {
  const cut = event.indexOf('_')
  return {
    phase: event.startsWith('before_') ? 'before' : 'after',
    operation: event.slice(cut + 1),
  }
}
