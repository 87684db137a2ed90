import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium } from 'playwright-core'

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The installed browser; undefined when this machine has none. */
const executablePath = executables.find((path) => existsSync(path))

/** Why tests with a browser cannot run here; false when they can. */
export const noBrowser: string | false =
  executablePath === undefined && `no Chromium is installed (looked for ${executables.join(', ')})`

/** Starts a browser without a window; it is closed with its test. */
export async function startBrowser(test: TestContext): Promise<BrowserContext> {
  if (executablePath === undefined) throw new Error(String(noBrowser))
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  test.after(() => browser.close())
  return browser.newContext()
}
