import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { createHttpClient } from '../helpers/http-client.js'
import {
  createWorkplace,
  type Running,
  type ServerProcess,
  type Workplace,
} from '../helpers/server-process.js'
import { until } from '../helpers/until.js'

const escapeCharacter = '\u001b'
const route = (body: string) => `http.handle("GET", "/ok", function()\n  ${body}\nend, { public = true })`

async function develop(place: Workplace, words: readonly string[] = []): Promise<ServerProcess> {
  const running = place.start(['dev', '--port', '0', ...words])
  const [, url = ''] = await until('the server listens', () => {
    if (running.process.exitCode !== null) throw new Error(`the server ended: ${running.err()}`)
    return /modulacms serves (\S+)\n/.exec(running.out())
  })
  await shown(running, /a saved file is live at once/)
  return { ...running, url, port: Number(new URL(url).port) }
}

const shown = (running: Running, text: RegExp) => until(`it prints ${text}`, () => text.test(running.err()))

it('with --approve', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const server = await develop(place, ['--approve'])
  const client = createHttpClient(server.url)
  test.after(() => client.close())
  assert.match(server.err(), /WARNING: --approve is on: EVERYTHING/)
  const ask = (plugin: string) => client.send('GET', `/api/v1/plugins/${plugin}/ok`)
  const served = (plugin: string) =>
    until(`${plugin} is live and approved`, async () => (await ask(plugin)).status !== 404)

  await test.test('a saved file is live', async () => {
    const answer = async () => (await ask('hello')).text
    await place.write({ 'plugins/hello/init.lua': plugin('hello', route('return { body = "one" }')) })
    await served('hello')
    assert.equal(await answer(), 'one')
    await place.write({
      'plugins/hello/init.lua': plugin('hello', route('return { body = "two" }'), '1.0.1'),
    })
    await shown(server, /reloaded hello 1\.0\.1 in \d+ ms/)
    await until('it is live and approved again', async () => (await answer()) === 'two')
    assert.ok(
      !server.err().includes(escapeCharacter) && !server.err().includes('{"level"'),
      'plain text for a pipe',
    )
  })

  await test.test('it shows the code of errors at load and at run, once, and goes on serving', async () => {
    await place.write({ 'plugins/fails/init.lua': plugin('fails', route('error("sad handler")')) })
    await served('fails')
    const answer = await ask('fails')
    assert.equal(answer.status, 500)
    assert.doesNotMatch(answer.text, /sad|init\.lua/)
    const rows = [
      / {4}fails\/init\.lua:3/,
      / {4}2 \| http\.handle\("GET", "\/ok", function\(\)/,
      / {2}> 3 \| {3}error\("sad handler"\)/,
      / {6}\| {3}\^{20}\n/,
      / {4}4 \| end, \{ public = true \}\)/,
    ]
    for (const row of rows) await shown(server, row)
    await place.write({ 'plugins/fails/init.lua': plugin('fails', 'local x = = 1') })
    await shown(server, /previous version keeps serving.*init\.lua:2:.*unexpected symbol/)
    await shown(server, /> 2 \| local x = = 1/)
    assert.equal((await ask('fails')).status, 500)
  })

  await test.test(
    'it reads no file outside a plugin for a message that names one, and escapes what could steer a terminal',
    async () => {
      await symlink('/etc', join(place.folder, 'plugins', 'etc'))
      await place.write({
        'secret/init.lua': 'SECRET CODE',
        'plugins/forger/init.lua': plugin(
          'forger',
          route(`log.error("../secret/init.lua:1: x forger/../../secret/init.lua:1: x \\27[31m red")\n  log.error("etc/passwd.lua:1: y")
  return { body = "done" }`),
        ),
      })
      await until('the forger is done', async () => (await ask('forger')).text === 'done')
      await shown(server, /passwd\.lua:1: y/)
      assert.doesNotMatch(server.err(), /SECRET CODE|root:/)
      assert.ok(!server.err().includes(escapeCharacter))
    },
  )
})

it('names the command that approves what waits when it is not told to approve', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const server = await develop(place)
  await place.write({ 'plugins/shy/init.lua': plugin('shy', route('return { body = "hi" }')) })
  await shown(
    server,
    /waiting for approval: 1 route of shy\n +npx modulacms plugin approve shy --all-routes --url http/,
  )
})

it('refuses --approve on an address that others can reach', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  const ended = await place.run(['dev', '--approve', '--host', '0.0.0.0', '--port', '0'])
  assert.equal(ended.code, 1)
  assert.match(ended.err, /--approve approves whatever plugins ask for.*0\.0\.0\.0/)
  assert.equal(ended.out, '')
})
