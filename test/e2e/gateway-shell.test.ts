import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import { noBrowser, useBrowser } from '../helpers/browser.js'
import { type ShellWorld, startShell } from '../helpers/shell-world.js'

// This file runs as dist/test/e2e/gateway-shell.test.js.
const example = fileURLToPath(new URL('../../../test/e2e/shell-example', import.meta.url))

const openWindow = useBrowser()

interface World extends ShellWorld {
  readonly page: Page
  /** Errors of scripts, and requests that failed, e.g. `404 /assets/x.js`. */
  readonly problems: readonly string[]
}

function addApps(server: FastifyInstance): void {
  const read = (name: string): string => readFileSync(join(example, 'apps', name), 'utf8')
  for (const app of ['deployments', 'reports']) {
    const page = read(`${app}.html`)
    for (const path of [`/${app}`, `/${app}/details`, `/${app}/2024`]) {
      // As an app that may be cached: a page load of the same address must not get it.
      server.get(path, (_request, reply) =>
        reply.type('text/html').header('cache-control', 'max-age=600').send(page),
      )
    }
    server.get(`/${app}/assets/app.js`, (_request, reply) =>
      reply.type('text/javascript').send(read('app.js')),
    )
  }
}

async function open(t: TestContext, envExcludes = ''): Promise<World> {
  const world = await startShell(t, { dir: join(example, 'shell'), envExcludes, routes: addApps })
  const context = await openWindow(t)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (response.status() >= 400 && pathname !== '/favicon.ico')
      problems.push(`${response.status()} ${pathname}`)
  })
  return { ...world, page, problems }
}

/** Waits until the frame of the shell shows this app. */
async function frameShows(page: Page, app: string, path: string): Promise<void> {
  await page.frameLocator('iframe').locator('h1', { hasText: app }).waitFor()
  await page.frameLocator('iframe').locator('body[data-is-framed=true]').waitFor()
  await page.waitForURL((url) => url.pathname === path)
}

test('a shell shows apps in a frame, from any address', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const { page, problems, url } = await open(t)
  await page.goto(`${url}/reports/2024`)
  assert.equal(await page.title(), 'Shell')
  await frameShows(page, 'reports', '/reports/2024')
  assert.equal(await page.locator('h1').count(), 0, 'the app is in the frame only')
  assert.equal(await page.evaluate('document.baseURI'), `${url}/`)
  assert.equal(await page.evaluate('document.head.firstElementChild.tagName'), 'BASE')
  const color = await page.evaluate("getComputedStyle(document.querySelector('nav')).color")
  assert.equal(color, 'rgb(1, 2, 3)', 'the style sheet of the shell is loaded by its relative path')

  await page.getByRole('button', { name: 'deployments' }).click()
  await frameShows(page, 'deployments', '/deployments')
  await page.frameLocator('iframe').getByRole('link').click()
  await frameShows(page, 'deployments', '/deployments/details')

  // The frame has put the app into the cache of the browser under this very address.
  await page.goto(`${url}/deployments`)
  assert.equal(await page.title(), 'Shell')
  await frameShows(page, 'deployments', '/deployments')
  await page.reload()
  assert.equal(await page.title(), 'Shell')
  await frameShows(page, 'deployments', '/deployments')

  await page.goto(`${url}/`)
  await frameShows(page, 'deployments', '/deployments')
  assert.deepEqual(problems, [])
})

test('excluded apps are shown without the shell, by each source', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const { client, page, problems, url } = await open(t, 'reports')
  const titleAt = async (path: string): Promise<string> => {
    await page.goto(url + path)
    return page.title()
  }
  assert.equal(await titleAt('/reports/2024'), 'reports')
  await page.locator('body[data-is-framed=false]').waitFor()
  assert.equal(await titleAt('/deployments'), 'Shell')

  await page.evaluate("document.cookie = 'GATEWAY_SHELL_EXCLUDES=deployments; path=/'")
  await page.reload()
  assert.equal(await page.title(), 'deployments')
  await page.evaluate("document.cookie = 'GATEWAY_SHELL_EXCLUDES=; path=/'")
  assert.equal(await titleAt('/deployments'), 'Shell')

  const excludes = '/gateway/api/shell/excludes'
  await client.send('POST', excludes, { json: { basename: 'deployments' } })
  assert.equal(await titleAt('/deployments/details'), 'deployments')
  await client.send('DELETE', `${excludes}/deployments`)
  assert.equal(await titleAt('/deployments'), 'Shell')
  assert.deepEqual(problems, [])
})

test('each host has its own shell, with its own files', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const world = await startShell(t, {
    files: {
      'shell/index.html': '<!doctype html><html><head><title>Other</title></head><body></body></html>',
      'shell/other.js': 'export default 1\n',
    },
    hosts: [{ host: 'localhost', dir: join(example, 'shell') }],
    routes: addApps,
  })
  const context = await openWindow(t)
  const page = await context.newPage()
  const { port } = new URL(world.url)
  await page.goto(`http://localhost:${port}/reports/2024`)
  assert.equal(await page.title(), 'Shell')
  await frameShows(page, 'reports', '/reports/2024')
  await page.goto(`http://127.0.0.1:${port}/reports/2024`)
  assert.equal(await page.title(), 'Other')
  assert.equal(await page.evaluate('document.baseURI'), `http://127.0.0.1:${port}/`)
  const statusOf = (url: string) =>
    page.evaluate(`fetch(${JSON.stringify(url)}).then(({ status }) => status)`)
  assert.equal(await statusOf('/other.js'), 200)
  assert.equal(await statusOf('/menu.js'), 404, 'a file of the other shell')
})
