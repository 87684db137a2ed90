import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { HtmlRewriter } from '../../../../src/gateway/proxy/html-rewriter.js'
import { ask, startProxyWorld, startUpstream } from '../../../helpers/proxy-world.js'

function rewrite(html: string, rule: { base?: string; relativePaths?: boolean }): string {
  return HtmlRewriter.of({ relativePaths: false, ...rule })?.rewriteText(html) ?? html
}

test('the base comes behind the head, escaped, and only where the page has none', () => {
  assert.equal(rewrite('<HTML><HEAD lang="x">', { base: '/app' }), '<HTML><HEAD lang="x"><base href="/app/">')
  assert.equal(rewrite('<head>', { base: '/' }), '<head><base href="/">')
  assert.equal(rewrite('<head>', { base: '"><script>' }), '<head><base href="&#34;&#62;&#60;script&#62;/">')
  const own = '<head><BASE href="/own/">'
  assert.equal(rewrite(own, { base: '/app' }), own)
  assert.equal(rewrite('<header>', { base: '/app' }), '<header>')
  assert.equal(
    rewrite('<!-- <head> <base> --><head>', { base: '/app' }),
    '<!-- <head> <base> --><head><base href="/app/">',
  )
})

test('links that start at the root become relative', () => {
  const html = `<a href="/x"><img src="//cdn/y"><a href="z"><script>go('/w', '//v')</script>`
  assert.equal(
    rewrite(html, { relativePaths: true }),
    `<a href="./x"><img src="//cdn/y"><a href="z"><script>go('./w', '//v')</script>`,
  )
})

test('a page in any encoding keeps its bytes, and one that is too large is passed on as it is', async () => {
  const rewriter = HtmlRewriter.of({ base: '/a', relativePaths: false })
  assert.ok(rewriter)
  const bytes = Buffer.concat([Buffer.from('<head>'), Buffer.from([0xff, 0x00, 0xc3, 0x28])])
  const page = await rewriter.rewrite(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)])).toArray()
  assert.deepEqual(Buffer.concat(page).subarray(-4), bytes.subarray(-4))
  const chunk = Buffer.alloc(1024 * 1024, '<head>')
  const large = await rewriter.rewrite(Readable.from([chunk, chunk, chunk, chunk, chunk, chunk])).toArray()
  assert.equal(Buffer.concat(large).equals(Buffer.concat(Array(6).fill(chunk))), true)
})

test('only whole HTML pages are changed, and they are asked for without compression', async (t) => {
  const upstream = await startUpstream(t, ({ url, headers }, response) => {
    const type = url === '/page' ? 'Text/HTML; charset=utf-8' : 'text/plain'
    response.writeHead(200, { 'content-type': type, 'content-length': '6', etag: '"x"' })
    assert.equal(headers['accept-encoding'], 'identity')
    response.end('<head>')
  })
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url, base: '/app' }] })
  const headers = { 'accept-encoding': 'gzip' }
  const page = await ask(port, '/page', { headers })
  assert.equal(page.body, '<head><base href="/app/">')
  assert.equal(page.headers.etag, undefined)
  const text = await ask(port, '/text', { headers })
  assert.equal(text.body, '<head>')
  assert.equal(text.headers['content-length'], '6')
  assert.equal((await ask(port, '/page', { method: 'HEAD', headers })).body, '')
})
