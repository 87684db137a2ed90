import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noBrowser, useBrowser } from '../helpers/browser.js'
import { plugin, startHost } from '../helpers/create-host.js'
import { freePort, settingsOf, startProvider } from '../helpers/oidc-world.js'

const page = plugin(
  'page',
  `http.handle("GET", "/hello", function(req) return { body = "hello " .. req.identity.name } end)`,
)
const path = '/api/v1/plugins/page/hello'

describe('signing in at a provider with a browser', { skip: noBrowser }, () => {
  const open = useBrowser()

  it('leads to the page and lets its scripts sign out again', async (test) => {
    const port = await freePort()
    const provider = await startProvider(test, port)
    const local = settingsOf(provider, port, { postLogoutRedirectUri: `http://127.0.0.1:${port}/bye` })
    const server = await startHost(test, {
      plugins: { 'page/init.lua': page },
      port,
      config: { 'auth.authenticators': { local } },
    })
    provider.person = { subject: 'ann', claims: { preferred_username: 'ann' } }
    const context = await open(test)
    const tab = await context.newPage()
    await tab.goto(`${server.url}/api/v1/auth/oidc/local/login?redirect=${encodeURIComponent(path)}`)
    assert.equal(new URL(tab.url()).pathname, path)
    assert.equal(await tab.textContent('body'), 'hello ann')
    const cookies = await context.cookies(server.url)
    const own = cookies.filter(({ name }) => name.startsWith('modulacms'))
    assert.deepEqual(
      own.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
      [['modulacms_session', true, 'Lax']],
    )
    const address = await tab.evaluate(async () => {
      const session = (await (await fetch('/api/v1/auth/session')).json()) as { csrf_token: string }
      const headers = { 'x-csrf-token': session.csrf_token }
      const answer = await fetch('/api/v1/auth/logout', { method: 'POST', headers })
      return ((await answer.json()) as { end_session_url: string }).end_session_url
    })
    assert.ok(address.startsWith(provider.issuer), address)
    const again = await tab.goto(`${server.url}${path}`)
    assert.equal(again?.status(), 401)
  })
})
