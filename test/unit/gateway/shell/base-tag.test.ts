import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { injectBase } from '../../../../src/gateway/shell/base-tag.js'

const base = '<base href="/">'

/** `|` marks the place of the base. */
const places: readonly (readonly [string, string])[] = [
  ['a plain head', '<!doctype html><html><head>|<title>x</title></head></html>'],
  ['a head in upper case', '<!DOCTYPE HTML><HTML><HEAD>|</HEAD></HTML>'],
  ['a head with attributes', '<html lang="de"><head lang=de data-a="1" hidden>|</head>'],
  ['a head with ">" in attributes', `<head data-a=">" data-b='<head>'>|</head>`],
  ['a head over several lines', '<html>\n<head\n  lang="de"\n>|\n</head>'],
  ['a head that looks self-closing', '<head/>|<title>x</title>'],
  ['a head in a comment before', '<!-- <head> --><html><head>|</head>'],
  ['comments of odd ends', '<!--><!---><!-- <head> --!><head>|</head>'],
  ['a bogus comment', '<?xml version="1.0" <head ?><html><head>|</head>'],
  ['an end tag without a name', '<html></><head>|</head>'],
  ['a head in a script behind', '<head>|<script>"<head>"</script></head>'],
  ['a base in a script', '<head>|<script>"<base href=/x>"</script></head>'],
  [
    'a base in a script in a comment in a script',
    '<head>|<script><!-- <script> </script> <base href=/x> --></script></head>',
  ],
  ['a base in a comment', '<head>|<!-- <base href="/x"> --></head>'],
  ['a base in a style', '<head>|<style><base href="/x"></style></head>'],
  ['a base in a title', '<head>|<title><base href="/x"></title></head>'],
  ['a base in a template', '<head>|</head><template><base href="/x"></template>'],
  ['a base in a script without end', '<head>|</head><script><base href="/x">'],
  ['a base in an attribute', '<head>|<meta content="<base href=/x>"></head>'],
  ['a base without an address', '<head>|<base target="_top"></head>'],
  ['an element whose name starts with base', '<head>|<base-x href="/x"></base-x></head>'],
  ['no head', '<!doctype html>|<title>x</title>'],
  ['no head in html', '<!doctype html><html lang=de>|<body><head></body>'],
  ['a header in the place of a head', '<html>|<header>x</header>'],
  ['a head behind text', '<html>|text<head></head>'],
  ['a head that does not end', '<html>|<head lang="de'],
  ['a head with a quote that does not end', '<html>|<head a="><p>'],
  ['only text', '|hello'],
  ['nothing', '|'],
]
for (const [name, marked] of places) {
  test(`the base has its place: ${name}`, () => {
    assert.equal(injectBase(marked.replace('|', ''), '/'), marked.replace('|', base))
  })
}

for (const html of [
  '<head><base href="/app/"></head>',
  '<HEAD><META charset=utf-8><BASE\nTARGET=x HREF=/app/></HEAD>',
  '<head></head><body><base href="/app/"></body>',
  '<head><script></script><base href></head>',
]) {
  test(`a page with a base of its own stays as it is: ${JSON.stringify(html)}`, () => {
    assert.equal(injectBase(html, '/'), html)
  })
}

test('the address is escaped', () => {
  assert.equal(
    injectBase('<head></head>', `/a"><script>'&`),
    '<head><base href="/a&quot;&gt;&lt;script&gt;&#39;&amp;"></head>',
  )
})

const pieces = fc.constantFrom(
  ...[
    '<head',
    '<HEAD>',
    '</head>',
    '<html>',
    '<body>',
    '<base',
    '<base href="/x">',
    ' href=',
    '"',
    "'",
    '>',
    '/',
  ],
  ...[
    '<!--',
    '-->',
    '--!>',
    '<script>',
    '</script>',
    '<style>',
    '</style>',
    '<!doctype html>',
    '<?',
    '</',
    '<',
  ],
  ...['<template>', '</template>', '<title>', '</title>', '=', ' ', '\n', 'a', '$&', '$1', '\u00a0'],
)
const pages = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''))

test('of any text nothing is lost, at most one base is added, and a second time changes nothing', () => {
  fc.assert(
    fc.property(pages, fc.string(), (html, href) => {
      const once = injectBase(html, href)
      if (once === html) return
      const added = once.length - html.length
      const at = [...once].findIndex((_, index) => once.slice(0, index) + once.slice(index + added) === html)
      assert.notEqual(at, -1, 'what was added stands in one place')
      assert.equal(injectBase(once, href), once)
    }),
    { numRuns: 2000 },
  )
})

test('the time grows with the length only', () => {
  for (const piece of [
    '<',
    '<!--',
    '<a b="',
    "<a b='",
    '<a =',
    '<script>',
    '<script><!--',
    '<?',
    ' ',
    '/',
    '<a ',
  ]) {
    const started = performance.now()
    injectBase(piece.repeat(200_000 / piece.length), '/')
    assert.ok(performance.now() - started < 2000, `${JSON.stringify(piece)} takes too long`)
  }
})
