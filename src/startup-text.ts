import type { Host } from './host.js'
import type { WaitingPlugin } from './plugins/plugin-views.js'

export interface StartupFacts {
  readonly url: string
  readonly host: Pick<Host, 'status' | 'adminToken'>
  readonly isPluginSystemOn: boolean
  /** What of the gateway is on; no line when missing. */
  readonly gateway?: string | undefined
}

/** What an operator reads when the server is up: where it is, what runs, what waits, and what to type next. */
export function startupText({ url, host, isPluginSystemOn, gateway }: StartupFacts): string {
  const { running, failed, stopped, waiting, problems } = host.status()
  const { file } = host.adminToken
  const lines = [
    `modulacms serves ${url}`,
    `  admin token: ${file === undefined ? 'from MODULACMS_ADMIN_TOKEN' : file}`,
  ]
  if (!isPluginSystemOn) lines.push('  plugins: off (set "plugin_enabled": true in config.json)')
  else lines.push(`  running: ${list(running.map(({ name, version }) => `${name} ${version}`))}`)
  if (gateway !== undefined) lines.push(`  gateway: ${gateway}`)
  if (stopped.length > 0) lines.push(`  disabled: ${list(stopped)}`)
  for (const { name, reason } of failed) lines.push(`  failed: ${name}: ${reason}`)
  for (const problem of problems) lines.push(`  note: ${problem}`)
  for (const { what, command } of waiting.map(describeWaiting)) {
    lines.push(`  waiting for approval: ${what}`, `    ${command}`)
  }
  return `${lines.join('\n')}\n`
}

/** How each kind is counted, and what approves all of it. */
const kinds = [
  { kind: 'hook', one: 'hook', many: 'hooks', flag: '--all-hooks' },
  { kind: 'domain', one: 'domain', many: 'domains', flag: '--all-domains' },
  { kind: 'core', one: 'core table access', many: 'core table accesses', flag: '--all-core' },
  { kind: 'kv', one: 'shared namespace access', many: 'shared namespace accesses', flag: '--all-kv' },
  { kind: 'stage', one: 'stage', many: 'stages', flag: '--all-stages' },
  { kind: 'gateway', one: 'gateway access', many: 'gateway accesses', flag: '--all-gateway' },
  {
    kind: 'auth',
    one: 'authenticator or authorizer',
    many: 'authenticators and authorizers',
    flag: '--all-auth',
  },
] as const

/** Says what of a plugin waits, e.g. `2 routes, 1 hook of shop`, and gives the command that approves exactly that. */
export function describeWaiting({ plugin, routes, grants }: WaitingPlugin): {
  readonly what: string
  readonly command: string
} {
  const counted = [
    { count: routes.length, one: 'route', many: 'routes', flag: '--all-routes' },
    ...kinds.map((names) => ({
      count: grants.filter(({ kind }) => kind === names.kind).length,
      ...names,
    })),
  ].filter(({ count }) => count > 0)
  const counts = counted.map(({ count, one, many }) => `${count} ${count === 1 ? one : many}`)
  return {
    what: `${counts.join(', ')} of ${plugin}`,
    command: `npx modulacms plugin approve ${plugin} ${counted.map(({ flag }) => flag).join(' ')}`,
  }
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
