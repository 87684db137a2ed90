import type { Host } from './host.js'
import type { WaitingPlugin } from './plugins/plugin-views.js'

export interface StartupFacts {
  readonly url: string
  readonly host: Pick<Host, 'status' | 'adminToken'>
  readonly isPluginSystemOn: boolean
}

/** What an operator reads when the server is up: where it is, what runs, what waits, and what to type next. */
export function startupText({ url, host, isPluginSystemOn }: StartupFacts): string {
  const { running, failed, stopped, waiting, problems } = host.status()
  const { file } = host.adminToken
  const lines = [
    `modulacms serves ${url}`,
    `  admin token: ${file === undefined ? 'from MODULACMS_ADMIN_TOKEN' : file}`,
  ]
  if (!isPluginSystemOn) lines.push('  plugins: off (set "plugin_enabled": true in config.json)')
  else lines.push(`  running: ${list(running.map(({ name, version }) => `${name} ${version}`))}`)
  if (stopped.length > 0) lines.push(`  disabled: ${list(stopped)}`)
  for (const { name, reason } of failed) lines.push(`  failed: ${name}: ${reason}`)
  for (const problem of problems) lines.push(`  note: ${problem}`)
  for (const plugin of waiting) lines.push(...waitingLines(plugin))
  return `${lines.join('\n')}\n`
}

/** How each kind is counted, and what approves all of it. */
const kinds = [
  { kind: 'hook', one: 'hook', many: 'hooks', flag: '--all-hooks' },
  { kind: 'domain', one: 'domain', many: 'domains', flag: '--all-domains' },
  { kind: 'core', one: 'core table access', many: 'core table accesses', flag: '--all-core' },
] as const

function waitingLines({ plugin, routes, grants }: WaitingPlugin): readonly string[] {
  const counted = [
    { count: routes.length, one: 'route', many: 'routes', flag: '--all-routes' },
    ...kinds.map((names) => ({
      count: grants.filter(({ kind }) => kind === names.kind).length,
      ...names,
    })),
  ].filter(({ count }) => count > 0)
  const counts = counted.map(({ count, one, many }) => `${count} ${count === 1 ? one : many}`)
  return [
    `  waiting for approval: ${counts.join(', ')} of ${plugin}`,
    `    npx modulacms plugin approve ${plugin} ${counted.map(({ flag }) => flag).join(' ')}`,
  ]
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
