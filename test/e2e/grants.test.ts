import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { createWorkplace } from '../helpers/server-process.js'

const source = (version: string) => ({
  'plugins/asking/init.lua': plugin(
    'asking',
    'http.handle("GET", "/x", function() return { json = {} } end, { public = true })',
    version,
    'core_access = { content_data = { "read", "write" } }',
  ),
})

it('tells what waits, approves it with the command that was told, and asks again after a new version', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: [], executors: 1 })
  await place.write(source('1.0.0'))
  const server = await place.serve()
  const run = (...words: string[]) => place.run(['plugin', ...words, '--url', server.url])
  const [, command = ''] = /npx modulacms plugin (approve asking .*)\n/.exec(server.out()) ?? []
  assert.match(server.out(), /waiting for approval: 1 route, 2 core table accesses of asking/)
  assert.equal(command, 'approve asking --all-routes --all-core')
  assert.equal((await run('diff', 'asking', '--exit-code')).code, 1)
  assert.equal((await run(...command.split(' '))).code, 2, 'nobody is there to be asked')
  assert.equal((await run('diff', 'asking', '--exit-code')).code, 1)
  const approved = await run(...command.split(' '), '--yes')
  assert.equal(approved.code, 0, approved.err)
  assert.match(approved.out, /approved: core content_data:write/)
  assert.equal((await run('diff', 'asking', '--exit-code')).code, 0)
  assert.equal((await fetch(`${server.url}/api/v1/plugins/asking/x`)).status, 200)
  assert.equal((await run('revoke', 'asking', '--core', 'content_data:write', '--yes')).code, 0)
  const info = JSON.parse((await run('info', 'asking', '--json')).out)
  assert.deepEqual(
    info.core.map(({ access, approved: is }: { access: string; approved: boolean }) => [access, is]),
    [
      ['read', true],
      ['write', false],
    ],
  )
  await place.write(source('2.0.0'))
  assert.equal((await run('reload', 'asking')).code, 0)
  const diff = await run('diff', 'asking')
  assert.match(diff.out, /core {3}content_data:read {2}\(reads rows; was approved for 1\.0\.0 by \w+\)/)
  assert.equal((await fetch(`${server.url}/api/v1/plugins/asking/x`)).status, 404)
})
