import type { Host } from './host.js'

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
  for (const { plugin, routes } of waiting) {
    lines.push(
      `  waiting for approval: ${routes.length} ${routes.length === 1 ? 'route' : 'routes'} of ${plugin}`,
    )
    lines.push(`    npx modulacms plugin approve ${plugin} --all-routes`)
  }
  return `${lines.join('\n')}\n`
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
