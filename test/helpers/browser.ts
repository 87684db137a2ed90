import { existsSync } from 'node:fs'
import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The installed browser; undefined when this machine has none. */
const executablePath = executables.find((path) => existsSync(path))

/** Why tests with a browser cannot run here; false when they can. */
export const noBrowser: string | false =
  executablePath === undefined && `no Chromium is installed (looked for ${executables.join(', ')})`

/**
 * One browser without a window for all tests of a file, which the first of them starts; the function that comes back
 * opens a window of its own for a test, with cookies and a cache of its own.
 */
export function useBrowser(): (test: TestContext) => Promise<BrowserContext> {
  let launched: Promise<Browser> | undefined
  after(async () => (await launched)?.close())
  return async (test) => {
    launched ??= launch()
    const context = await (await launched).newContext()
    test.after(() => context.close())
    return context
  }
}

async function launch(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(String(noBrowser))
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
}
