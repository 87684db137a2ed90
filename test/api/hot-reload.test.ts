import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { install, uninstall } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const answering = (answer: string) =>
  `http.handle("GET", "/ok", function() return { body = "${answer}" } end, { public = true })`

interface Details {
  readonly state: string
  readonly failed_reason?: string
  readonly hot_reload?: string
  readonly generation: number
}

const times = { debounceMs: 80, cooldownMs: 0 }
const text = async (server: TestHost, path: string) => (await server.call('GET', path)).text
const details = (server: TestHost, name: string) => server.admin<Details>('GET', `/${name}`)
const served = (server: TestHost, path: string, answer: string) =>
  until(`${path} answers ${answer}`, async () => (await text(server, path)) === answer)
const loads = (server: TestHost, name: string) =>
  server.lines.filter((line) => line.msg === 'plugin loaded' && line.plugin === name).length
const failedFor = (server: TestHost, name: string, reason: RegExp) =>
  until(`${name} shows ${reason}`, async () => reason.test((await details(server, name)).failed_reason ?? ''))

/** Files of a plugin that gives one answer. */
const saying = (name: string, answer: string, more = '') => ({
  [`${name}/init.lua`]: plugin(name, answering(answer), '1.0.0', more),
})

/** Installs two plugins for one test, which answer 1 and 2; gives their names. */
async function pair(test: TestContext, server: TestHost, prefix: string): Promise<readonly [string, string]> {
  const [one, two] = [`${prefix}_one`, `${prefix}_two`] as const
  await install(test, server, { ...saying(one, '1'), ...saying(two, '2') })
  return [one, two]
}

describe('a host that watches', () => {
  const shared = useHost({ plugins: {}, hotReload: times, config: { plugin_max_instructions: 2_000_000 } })

  it('loads what is written, replaced, or changed in lib/, and shows that it watches', async (test) => {
    const server = shared()
    const [one, two] = await pair(test, server, 'saved')
    const loadsOfTwo = loads(server, two)
    assert.equal((await details(server, one)).hot_reload, 'watching')
    await server.write(saying(one, 'written'))
    await served(server, `/${one}/ok`, 'written')
    const draft = join(server.pluginDirectory, one, 'init.lua.new~')
    await writeFile(draft, plugin(one, answering('replaced')))
    await rename(draft, join(server.pluginDirectory, one, 'init.lua'))
    await served(server, `/${one}/ok`, 'replaced')
    await server.write({
      [`${one}/lib/words.lua`]: 'return { answer = "lib" }',
      [`${one}/init.lua`]: plugin(one, answering('x').replace('"x"', 'require("words").answer')),
    })
    await served(server, `/${one}/ok`, 'lib')
    await server.write({ [`${one}/lib/words.lua`]: 'return { answer = "lib again" }' })
    await served(server, `/${one}/ok`, 'lib again')
    assert.equal(loads(server, two), loadsOfTwo, 'the neighbour is left alone')
  })

  it('does nothing about tests, swap files, other files, and texts that stay the same', async (test) => {
    const server = shared()
    const [one, two] = await pair(test, server, 'quiet')
    const { generation } = await details(server, one)
    await server.write({
      [`${one}/test/one.test.lua`]: 'return 1',
      [`${one}/.init.lua.swp`]: 'x',
      [`${one}/init.lua~`]: 'x',
      [`${one}/4913`]: 'x',
      [`${one}/readme.md`]: 'x',
      [`${one}/.git/hooks/x.lua`]: 'x',
      ...saying(one, '1'),
    })
    await server.write(saying(two, 'later'))
    await served(server, `/${two}/ok`, 'later')
    await server.write(saying(two, 'latest'))
    await served(server, `/${two}/ok`, 'latest')
    assert.equal((await details(server, one)).generation, generation)
  })

  it('keeps the old generation when an edit is broken, says where, and goes on when it is mended', async (test) => {
    const server = shared()
    const [one, two] = await pair(test, server, 'broken')
    const { generation } = await details(server, one)
    const broken: readonly (readonly [string, RegExp])[] = [
      [`${plugin(one, '')}\nthis is no Lua`, /init\.lua:4:/],
      [plugin(one, `${answering('x')}\nerror("top")`), /init\.lua:3: top/],
      [plugin(one, `${answering('x')}\nwhile true do end`), /ran out|TIMEOUT|time|instructions/i],
      [plugin(one, `${answering('x')}\nfunction on_init() while true do end end`), /^on_init failed/],
      [plugin('other', answering('x')), /does not match plugin name/],
    ]
    for (const [source, reason] of broken) {
      await server.write({ [`${one}/init.lua`]: source })
      await failedFor(server, one, reason)
      assert.equal(await text(server, `/${one}/ok`), '1')
      assert.equal(await text(server, `/${two}/ok`), '2', 'the neighbour serves')
      assert.equal((await details(server, one)).generation, generation)
    }
    const line = server.lines.find(
      ({ msg, plugin: name }) =>
        name === one && msg === 'plugin failed to load (the previous version keeps serving)',
    )
    assert.match(String(line?.reason), /broken_one\/init\.lua:4:/)
    await server.write(saying(one, 'mended'))
    await served(server, `/${one}/ok`, 'mended')
    assert.equal((await details(server, one)).failed_reason, undefined)
  })

  it('discovers a folder that appears, whole or bit by bit, and approves nothing by itself', async (test) => {
    const server = shared()
    test.after(() => uninstall(server, ['fresh']))
    await server.write({ 'fresh/lib/a.lua': 'return 1' })
    await server.write({ 'fresh/init.lua': 'half of it' })
    await until('the half is known', async () => {
      const answer = await server.send('GET', '/api/v1/admin/plugins/fresh', { headers: server.credentials })
      return answer.status === 200
    })
    await server.write({ 'fresh/init.lua': plugin('fresh', answering('hello')) })
    await until('it runs', async () => (await details(server, 'fresh')).state === 'running')
    assert.equal((await server.call('GET', '/fresh/ok')).status, 404)
    await server.approveAll()
    assert.equal(await text(server, '/fresh/ok'), 'hello')
  })

  it('takes a plugin out of service whose folder is removed, and back with its approvals', async (test) => {
    const server = shared()
    const [one, two] = await pair(test, server, 'gone')
    const measured = `${answering('1')}\nmetrics.counter("n")`
    await server.write({ [`${one}/init.lua`]: plugin(one, measured) })
    const metrics = async () => (await server.send('GET', '/metrics', { headers: server.credentials })).text
    const own = `modulacms_plugin_${one}__n`
    await until('its metric is there', async () => (await metrics()).includes(own))
    await server.remove(one)
    await failedFor(server, one, /folder gone_one was removed/)
    assert.equal((await details(server, one)).state, 'failed')
    assert.ok(!(await metrics()).includes(own), 'its metrics end with it')
    assert.equal((await server.call('GET', `/${one}/ok`)).status, 503)
    assert.equal(await text(server, `/${two}/ok`), '2')
    await server.write(saying(one, 'back'))
    await served(server, `/${one}/ok`, 'back')
  })

  it('goes on serving a plugin whose folder is renamed, and watches the new one', async (test) => {
    const server = shared()
    const [one] = await pair(test, server, 'moved')
    test.after(() => server.remove('uno'))
    const { generation } = await details(server, one)
    await rename(join(server.pluginDirectory, one), join(server.pluginDirectory, 'uno'))
    await until('the rename is noticed', () =>
      server.lines.some(({ msg, plugin: name }) => name === one && msg === 'plugin folder was renamed'),
    )
    assert.equal(await text(server, `/${one}/ok`), '1')
    assert.equal((await details(server, one)).generation, generation)
    await server.write({ 'uno/init.lua': plugin(one, answering('moved')) })
    await served(server, `/${one}/ok`, 'moved')
  })

  it('reloads a plugin while those that need it go on, and retries those that have failed for it', async (test) => {
    const server = shared()
    const needs = (name: string) => `dependencies = { "${name}" },`
    await install(test, server, { ...saying('base', 'b'), ...saying('user', 'u', needs('base')) })
    test.after(() => uninstall(server, ['far', 'middle', 'absent']))
    await server.write({ ...saying('far', 'f', needs('middle')), ...saying('middle', 'm', needs('absent')) })
    for (const name of ['middle', 'far']) await server.admin('POST', `/${name}/reload`, { status: 500 })
    const { generation } = await details(server, 'user')
    await server.write(saying('base', 'b2'))
    await served(server, '/base/ok', 'b2')
    assert.equal((await details(server, 'user')).generation, generation)
    assert.equal((await details(server, 'far')).state, 'failed')
    await server.write(saying('absent', 'a'))
    await until('the chain runs', async () => (await details(server, 'far')).state === 'running')
    assert.equal((await details(server, 'middle')).state, 'running')
  })

  it('coalesces a storm of saves and loads its last state', async (test) => {
    const server = shared()
    const [one] = await pair(test, server, 'storm')
    for (let save = 1; save <= 200; save += 1) {
      await server.write(saying(one, `save ${save}`))
    }
    await served(server, `/${one}/ok`, 'save 200')
    assert.ok(loads(server, one) < 40, `${loads(server, one)} loads`)
  })

  it('refuses links, too many files and too large ones, and keeps serving', async (test) => {
    const server = shared()
    const [one] = await pair(test, server, 'refused')
    const folder = join(server.pluginDirectory, one)
    const aside = `${server.pluginDirectory}-refused`
    test.after(() => rm(aside, { recursive: true, force: true }))
    await mkdir(aside)
    const swap = async (what: () => Promise<unknown>, reason: RegExp) => {
      await what()
      await failedFor(server, one, reason)
      assert.equal(await text(server, `/${one}/ok`), '1')
      await rename(folder, join(aside, 'refused'))
      await rm(join(aside, 'refused'), { recursive: true })
      await server.write(saying(one, '1'))
      await until('it is mended', async () => (await details(server, one)).failed_reason === undefined)
      await served(server, `/${one}/ok`, '1')
    }
    await swap(() => symlink('/etc', join(folder, 'lib')), /symbolic link/)
    await swap(() => symlink('/etc/passwd', join(folder, 'passwd.lua')), /symbolic link/)
    await swap(async () => {
      // They come at once: the watch would look at all of them again for each that is added.
      await mkdir(join(aside, 'lib'))
      for (let file = 0; file < 1000; file += 1) await writeFile(join(aside, 'lib', `f${file}.lua`), '')
      await rename(join(aside, 'lib'), join(folder, 'lib'))
    }, /limit is 100/)
    await swap(() => writeFile(join(folder, 'big.lua'), Buffer.alloc(11 * 1024 * 1024, 32)), /larger than/)
  })

  it('follows a plugin folder that is a link set by the operator', async (test) => {
    const server = shared()
    test.after(() => uninstall(server, ['linked']))
    const outside = `${server.pluginDirectory}-outside`
    test.after(() => rm(outside, { recursive: true, force: true }))
    await mkdir(outside)
    await writeFile(join(outside, 'init.lua'), plugin('linked', answering('l1')))
    await symlink(outside, join(server.pluginDirectory, 'linked'))
    await until('it is found', async () => {
      const answer = await server.send('GET', '/api/v1/admin/plugins/linked', { headers: server.credentials })
      return answer.status === 200 && answer.json<Details>().state === 'running'
    })
    await server.approveAll()
    await writeFile(join(outside, 'init.lua'), plugin('linked', answering('l2')))
    await served(server, '/linked/ok', 'l2')
  })

  it('ignores a folder whose plugin name is taken, until the first one is gone', async (test) => {
    const server = shared()
    const [one] = await pair(test, server, 'taken')
    test.after(() => server.remove('twin'))
    const ignored = () =>
      server.lines.filter(({ msg, plugin: name }) => name === one && /folder is ignored/.test(msg)).length
    await server.write({ 'twin/init.lua': plugin(one, answering('twin')) })
    await until('it is told of', () => ignored() === 1)
    assert.equal(await text(server, `/${one}/ok`), '1')
    await server.remove(one)
    await served(server, `/${one}/ok`, 'twin')
  })

  it('leaves a disabled plugin alone until it is enabled', async (test) => {
    const server = shared()
    const [one, two] = await pair(test, server, 'idle')
    await server.admin('POST', `/${one}/disable`)
    await server.write({
      ...saying(one, 'edited'),
      ...saying(two, '2b'),
    })
    await served(server, `/${two}/ok`, '2b')
    assert.equal((await details(server, one)).state, 'stopped')
    await server.admin('POST', `/${one}/enable`)
    assert.equal(await text(server, `/${one}/ok`), 'edited')
  })
})

it('keeps all plugins when the whole directory vanishes, and watches the one that comes in its place', async (test) => {
  const server = await startHost(test, {
    plugins: { ...saying('one', '1'), ...saying('two', '2') },
    hotReload: times,
  })
  const aside = `${server.pluginDirectory}-aside`
  test.after(() => rm(aside, { recursive: true, force: true }))
  await rename(server.pluginDirectory, aside)
  await until('it is noticed', () => server.lines.some(({ msg }) => /cannot be (watched|read)/.test(msg)))
  assert.equal(await text(server, '/one/ok'), '1')
  await mkdir(server.pluginDirectory)
  await server.write({
    ...saying('one', 'new place'),
    ...saying('two', '2'),
  })
  await served(server, '/one/ok', 'new place')
  assert.equal(await text(server, '/two/ok'), '2')
})

describe('a host that waits between loads, and takes each for slow', () => {
  const cooldownMs = 700
  // They are there from the start: a plugin that is installed may be loaded by the watch as well, which counts here.
  const slowed = useHost({
    plugins: { ...saying('cooled', '1'), ...saying('slow', '1'), ...saying('quick', '2') },
    hotReload: { ...times, cooldownMs, slowMs: 0 },
  })

  it('delays a change in the cooldown but loses none', async () => {
    const server = slowed()
    const one = 'cooled'
    const before = loads(server, one)
    await server.write(saying(one, 'first'))
    await served(server, `/${one}/ok`, 'first')
    await server.write(saying(one, 'second'))
    await server.write(saying(one, 'third'))
    await served(server, `/${one}/ok`, 'third')
    const [first = 0, second = 0, ...more] = server.lines
      .filter(({ msg, plugin: name }) => msg === 'plugin loaded' && name === one)
      .slice(before)
      .map(({ time }) => Date.parse(String(time)))
    assert.ok(second - first >= cooldownMs - 50, 'not within the cooldown')
    assert.deepEqual(more, [])
    await server.write(saying(one, 'ordered'))
    await server.admin('POST', `/${one}/reload`)
    assert.equal(await text(server, `/${one}/ok`), 'ordered', 'an order does not wait for the cooldown')
  })

  it('pauses a plugin after slow loads, shows it, and goes on after an order', async () => {
    const server = slowed()
    const [one, two] = ['slow', 'quick']
    for (const answer of ['slow 1', 'slow 2', 'slow 3']) {
      await server.write(saying(one, answer))
      await served(server, `/${one}/ok`, answer)
    }
    await until('it is paused', async () => (await details(server, one)).hot_reload === 'paused')
    assert.equal((await details(server, two)).hot_reload, 'watching')
    await server.write(saying(one, 'noted'))
    await server.admin('POST', `/${one}/reload`)
    assert.equal(await text(server, `/${one}/ok`), 'noted')
    assert.equal((await details(server, one)).hot_reload, 'watching')
    await server.write(saying(one, 'live again'))
    await served(server, `/${one}/ok`, 'live again')
  })
})
