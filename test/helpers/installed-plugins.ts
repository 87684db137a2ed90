import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { TestHost } from './create-host.js'

export interface InstallOptions {
  /** False leaves approvals as they are; else all that the plugins of the host ask for is approved. */
  readonly approve?: boolean
}

/**
 * Installs plugins into a host that several tests share: the files by their paths as in `TestHostOptions.plugins`,
 * each plugin in a folder of its own name, those that others need first. The plugins leave with the test.
 */
export async function install(
  test: TestContext,
  server: TestHost,
  files: Readonly<Record<string, string>>,
  { approve = true }: InstallOptions = {},
): Promise<void> {
  const names = new Set(Object.keys(files).map((path) => path.slice(0, path.indexOf('/'))))
  test.after(() => uninstall(server, [...names].reverse()))
  await server.write(files)
  for (const name of names) await server.admin('POST', `/${name}/reload`)
  if (approve) await server.approveAll()
}

/** Stops plugins, whatever became of them, and removes the folders of their names. */
export async function uninstall(server: TestHost, names: readonly string[]): Promise<void> {
  const { credentials: headers } = server
  for (const name of names) {
    const { status } = await server.send('POST', `/api/v1/admin/plugins/${name}/disable`, { headers })
    assert.ok([200, 404].includes(status), `disabling ${name} answers ${status}`)
    await server.remove(name)
  }
}
