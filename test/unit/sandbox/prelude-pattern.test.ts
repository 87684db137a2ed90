import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { InstructionsUsedUp, luaQuote, RawLua } from '../../helpers/raw-lua.js'

const items = [
  ...['a', 'b', '.', '%a', '%d', '%s', '%w', '%W', '%x', '%p', '%%', '%(', '[ab]', '[^a]', '[a-c%d]', '[]]'],
  ...['[^]a]', '[%a_]', '[a-]', '\0', '\u00e9', '-', ']', '^', '$', '(', ')', '()', '%b()', '%bab', '%f[%a]'],
  ...['%f[^b]', '%1', '%2', '%0'],
]
const broken = ['%', '[', '[^', '%b', '%b(', '%f', '%f[', '[a%', '%f%a']
const quantifiers = ['', '', '', '*', '+', '-', '?']

const item = fc.tuple(fc.constantFrom(...items), fc.constantFrom(...quantifiers)).map((pair) => pair.join(''))
const group = fc.array(item, { maxLength: 3 }).map((inner) => `(${inner.join('')})`)
const part = fc.oneof({ weight: 6, arbitrary: item }, { weight: 3, arbitrary: group })
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '^'),
    fc.array(part, { maxLength: 5 }),
    fc.constantFrom('', '', '', '$', ...broken),
  )
  .map(([anchor, parts, end]) => anchor + parts.join('') + end)
const subject = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '(', ')', '\0', '-', ']', '^', '\u00e9'), { maxLength: 14 })
  .map((units) => units.join(''))
const init = fc.constantFrom('nil', '1', '0', '3', '-2', '-40', '15', '40')
const replacement = fc.constantFrom(
  ...[
    '"x"',
    '"<%0>"',
    '"%1%1"',
    '"%2"',
    '"%%"',
    '"%"',
    '"%x"',
    '"%0%"',
    '7',
    '{ a = "A", b = 2, [" "] = false }',
  ],
  'function(...) return select("#", ...) .. tostring((...)) end',
  'function(one) if one == "a" then return {} end end',
)

/** Defines `same(name, ...)`: empty when native code and the Lua matcher agree, else both answers. */
const harness = `
local forced = {}
for key, value in next, raw do forced[key] = value end
forced.libraries = {
  matcher = libraries.matcher,
  pattern = function(...)
    local made = libraries.pattern(...)
    return { programs = {}, program_of = made.program_of, pay = made.pay, native = function() return false end }
  end,
}
lua_only = libraries.string(forced, host)
local function all(gmatch, ...)
  local parts = {}
  for one, two in gmatch(...) do parts[#parts + 1] = show(one, two) end
  return raw.table.concat(parts, ';')
end
local function call(library, name, ...)
  if name == 'gmatch' then return attempt(all, library.gmatch, ...) end
  return attempt(library[name], ...)
end
function same(name, ...)
  local native, ours = call(raw.string, name, ...), call(lua_only, name, ...)
  local chosen = call(string, name, ...)
  if native == ours and native == chosen then return '' end
  return name .. ': native ' .. native .. ' matcher ' .. ours .. ' library ' .. chosen
end
`

describe('the matcher in Lua', () => {
  it('gives what the native matcher gives, errors included, for find, match and gmatch', async () => {
    const lua = await RawLua.withPrelude()
    lua.run(harness)
    const property = fc.property(subject, pattern, init, (text, form, from) => {
      const call = `${luaQuote(text)}, ${luaQuote(form)}, ${from}`
      const names = ['find', 'match', 'gmatch'].map((name) => `same("${name}", ${call})`)
      assert.equal(lua.run(`return ${names.join(' .. ')}`), '', JSON.stringify({ text, form, from }))
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('gives what the native matcher gives for gsub with every kind of replacement', async () => {
    const lua = await RawLua.withPrelude()
    lua.run(harness)
    const counts = fc.constantFrom('nil', '0', '1', '2', '-1', '100')
    const property = fc.property(subject, pattern, replacement, counts, (text, form, value, count) => {
      const call = `same("gsub", ${luaQuote(text)}, ${luaQuote(form)}, ${value}, ${count})`
      assert.equal(lua.run(`return ${call}`), '', JSON.stringify({ text, form, value, count }))
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('agrees on patterns that are known for their corners', async () => {
    const lua = await RawLua.withPrelude()
    lua.run(harness)
    const cases: readonly (readonly [string, string])[] = [
      ['THE (quick) fox', '%f[%a]%a+%f[%A]'],
      ['f(a(b)c)d)', '%b()'],
      ['hello hello', '(%w+) %1'],
      ['  trim me  ', '^%s*(.-)%s*$'],
      ['a,b,,c', '([^,]*)'],
      ['key = value', '^(%w+)%s*=%s*(%w+)$'],
      ['abc', '((a)(b)(c))'],
      ['', ''],
      ['abc', ''],
      ['a\0b\0', '%z'],
      ['a.b-c', '[%.%-]'],
      ['x^y', 'x^'],
      ['a$', 'a$*'],
      ['aaab', 'a-b'],
      ['x', '('.repeat(33)],
      ['aaa', 'a?'.repeat(210)],
      ['aaa', 'a*'.repeat(210)],
      ['abc', '()()b()'],
      ['aa', '()a%1'],
    ]
    for (const [text, form] of cases) {
      for (const name of ['find', 'match', 'gmatch']) {
        assert.equal(lua.run(`return same("${name}", ${luaQuote(text)}, ${luaQuote(form)})`), '', form)
      }
      assert.equal(lua.run(`return same("gsub", ${luaQuote(text)}, ${luaQuote(form)}, "<%0>")`), '', form)
    }
  })

  const hostile: readonly (readonly [string, string])[] = [
    ['nested greedy runs', '("a"):rep(40):find(("a*"):rep(20) .. "b")'],
    ['two lazy runs over a long subject', '("a"):rep(30000):find(".-.-b")'],
    ['optional items that all may be skipped', '("a"):rep(30):find(("a?"):rep(30) .. ("a"):rep(30) .. "b")'],
    ['a balanced pair that never closes', '("("):rep(300000):find("%b()")'],
    [
      'a search for a long text that almost occurs',
      '("a"):rep(2000000):find(("a"):rep(500000) .. "b", 1, true)',
    ],
    ['the same search without the plain flag', '("a"):rep(2000000):find(("a"):rep(500000) .. "b")'],
    ['spaces at the end that are not at the end', '((" "):rep(200000) .. "x"):match("%s+$")'],
    ['gmatch over a subject without an end', '("a"):rep(100000):gmatch("(.-)b(.-)c")()'],
    ['gsub with a pattern that backs off', '("ab"):rep(60000):gsub("(a*)(.*)(b+)x", "%1")'],
    ['references to a long capture', '("a"):rep(60000):find("^(.-)%1%1%1b")'],
  ]
  for (const [title, code] of hostile) {
    it(`can be interrupted in the middle of ${title}`, async () => {
      const lua = await RawLua.withPrelude()
      assert.throws(() => lua.run(`return show(${code})`, 'test', 20_000), InstructionsUsedUp)
    })
  }
})

describe('the choice of a matcher', () => {
  it('leaves common patterns on short subjects to native code', async () => {
    const lua = await RawLua.withPrelude()
    const forms = [
      '^%s*(.-)%s*$',
      '(%w+)=(%w+)',
      '[^,]+',
      '^/api/v(%d+)/([%w_-]+)/?$',
      '%f[%w]%w+',
      '%b()',
      '.-;',
    ]
    for (const form of forms) {
      assert.equal(
        lua.run(`return tostring(patterns.native(patterns.program_of("${form}"), 60))`),
        'true',
        form,
      )
    }
  })

  it('takes patterns that native code could refuse to the matcher in Lua', async () => {
    const lua = await RawLua.withPrelude()
    for (const form of ['(x', 'x)', 'x%', '[a', '%b', '%f', '%1', '('.repeat(33), 'a*'.repeat(210)]) {
      assert.equal(
        lua.run(`return tostring(patterns.native(patterns.program_of("${form}"), 1))`),
        'false',
        form,
      )
    }
  })

  it('keeps a bounded number of compiled patterns', async () => {
    const lua = await RawLua.withPrelude()
    const kept = lua.run(`
      for i = 1, 5000 do string.find("abc", "[" .. i .. "x]+" .. i) end
      local count, fresh = 0, libraries.pattern(raw, host)
      for i = 1, 5000 do fresh.program_of("a" .. i) end
      for _ in next, fresh.programs do count = count + 1 end
      return tostring(count)`)
    assert.ok(Number(kept) > 0 && Number(kept) <= 256, kept)
  })

  it('names the line of the plugin in its errors, for short and for long subjects', async () => {
    const lua = await RawLua.withPrelude()
    const cases = [
      ['("x"):find("(x")', 'unfinished capture'],
      ['("x"):rep(5000):match("x%")', "malformed pattern (ends with '%')"],
      ['for _ in ("x"):gmatch("[x") do end', "malformed pattern (missing ']')"],
      ['("x"):gsub("x", "%2")', 'invalid capture index %2'],
      ['("x"):gsub("x", function() return {} end)', 'invalid replacement value (a table)'],
      ['("x"):rep(5000):gsub(".-.-x", function() return {} end)', 'invalid replacement value (a table)'],
      ['string.find({}, "x")', "bad argument #1 to 'find' (string expected, got table)"],
      ['string.gsub("x", "x")', "bad argument #3 to 'gsub' (string/function/table expected, got no value)"],
      ['string.find("x", "x", 1.5)', "bad argument #3 to 'find' (number has no integer representation)"],
    ]
    for (const [code, message] of cases) {
      const text = lua.run(`local ok, e = pcall(function()\n ${code}\nend) return tostring(e)`, 'init.lua')
      assert.equal(text, `init.lua:2: ${message}`)
    }
  })

  it('passes the errors of callbacks on unchanged', async () => {
    const lua = await RawLua.withPrelude()
    for (const text of ['"abc"', '("a"):rep(5000)']) {
      const code = `local thrown = {}
        local ok, e = pcall(string.gsub, ${text}, ".-.-a", function() error(thrown) end)
        return tostring(ok) .. tostring(e == thrown)`
      assert.equal(lua.run(code), 'falsetrue')
    }
  })
})
