import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { createWorkplace, projectRoot } from '../helpers/server-process.js'

/** Lines to type of a README, continued ones joined. */
async function readmeLines(): Promise<readonly string[]> {
  const text = await readFile(join(projectRoot, 'README.md'), 'utf8')
  const fenced = [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)]
  const blocks = fenced.flatMap(([, language, block = '']) => (language === '' ? [block] : []))
  return blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n')).filter((line) => line !== '')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('does what the README says, line by line', async (test) => {
  const lines = await readmeLines()
  const find = (pattern: RegExp): string => {
    const line = lines.find((each) => pattern.test(each))
    assert.ok(line, `the README has no line like ${pattern}`)
    return line
  }
  const place = await createWorkplace(test, { executors: 1 })
  const port = await freePort()
  const environment = { MODULACMS__SERVER__PORT: String(port) }
  const server = await place.serve(['--port', String(port)])
  assert.match(server.out(), /admin token: .*admin-token/)
  assert.match(
    server.out(),
    /running: audit_log 1\.0\.0, maintenance_mode 1\.0\.0, page_views 1\.0\.0, request_validator 1\.0\.0, task_tracker 1\.0\.0/,
  )
  assert.match(server.out(), /npx modulacms plugin approve task_tracker --all-routes/)
  const typeExactly = async (line: string): Promise<string> => {
    const { code, out, err } = await place.shell(line.replaceAll(':8080', `:${port}`), environment)
    assert.equal(code, 0, `${line}\n${out}\n${err}`)
    return out
  }
  // That npx finds the command is shown once; it takes longer to do so than the command takes.
  const type = (line: string) => typeExactly(line.replace(/^npx (?=modulacms )/, 'node_modules/.bin/'))

  await typeExactly(find(/^npx modulacms plugin approve task_tracker/))
  const created = JSON.parse(await type(find(/^curl -X POST .*\/tasks/))) as { id: string; title: string }
  assert.equal(created.title, 'Water the plants')
  const listed = JSON.parse(await type(find(/^curl '.*\/tasks\?status=open'/))) as {
    tasks: { id: string }[]
    total: number
  }
  assert.deepEqual([listed.total, listed.tasks[0]?.id], [1, created.id])

  for (const verb of ['init', 'validate', 'test', 'reload', 'approve']) {
    await type(find(new RegExp(`^npx modulacms plugin ${verb} .*guest_book`)))
  }
  const base = `http://127.0.0.1:${port}/api/v1/plugins`
  assert.deepEqual(JSON.parse(await type(`curl -s ${base}/guest_book/notes`)), { notes: [] })
  const readme = await readFile(join(place.folder, 'plugins/guest_book/README.md'), 'utf8')
  const [post] = /^curl \S+ \\\n(?:.*\\\n)*.*-d .*$/m.exec(readme) ?? []
  assert.ok(post, 'the README of the new plugin shows how to write')
  assert.match(await type(post.replaceAll('\\\n', ' ')), /buy milk/)

  const [, small] = /```lua\n(.*?)```/s.exec(await readFile(join(projectRoot, 'README.md'), 'utf8')) ?? []
  await place.write({ 'plugins/hello/init.lua': small ?? '' })
  await type('npx modulacms plugin reload hello')
  await type('npx modulacms plugin approve hello --all-routes --yes')
  assert.deepEqual(JSON.parse(await type(`curl -s ${base}/hello/Ada`)), { message: 'Hello, Ada' })
})

it('tells scripts how a command ended by its exit code', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: ['task_tracker'], executors: 1 })
  const codeOf = async (words: readonly string[], environment = {}): Promise<number | null> =>
    (await place.run(words, environment)).code
  const down = await place.run(['plugin', 'info', 'task_tracker'])
  assert.equal(down.code, 4)
  assert.match(down.err, /modulacms serve/)
  const server = await place.serve()
  const at = ['--url', server.url]
  await place.write({ 'plugins/broken/init.lua': 'plugin_info = {' })
  const codes = await Promise.all([
    codeOf(['plugin', 'info', 'task_tracker', '--json', ...at]),
    codeOf(['plugin', 'info', 'absent', ...at]),
    codeOf(['plugin', 'approve', 'task_tracker', ...at]),
    codeOf(['plugin', 'approve', 'task_tracker', '--all-routes', ...at]),
    codeOf(['plugin', 'approve', 'task_tracker', '--route', 'GET /absent', '--yes', ...at]),
    codeOf(['plugin', 'reload', 'task_tracker', '--token', 'not-the-right-token', ...at]),
    codeOf(['plugin', 'validate', 'plugins/broken']),
    codeOf(['plugin', 'validate', 'plugins/task_tracker']),
    codeOf(['plugin', 'list', '--json']),
    codeOf(['plugin', 'list'], { MODULACMS__SERVER__PORT: 'many' }),
  ])
  assert.deepEqual(codes, [0, 5, 2, 2, 5, 6, 3, 0, 0, 7])
  const answer = await fetch(`${server.url}/api/v1/plugins/task_tracker/tasks`)
  assert.equal(answer.status, 404, 'no question that nobody answered has approved anything')
})
