import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { ToolVm } from '../../../helpers/tool-vm.js'

let lua: ToolVm

before(async () => {
  lua = await ToolVm.create()
})

/** Bytes as they come back: as text where they are UTF-8. */
function bytesOf(value: unknown): Buffer {
  assert.ok(typeof value === 'string' || value instanceof Uint8Array, `no bytes: ${String(value)}`)
  return Buffer.from(value as string)
}

describe('random values', () => {
  it('give as many bytes as asked for, never the same', async () => {
    const [none, some, other, most] = await lua.run(
      'local r = crypto.random_bytes return #r(0), r(32), r(32), #r(65536)',
    )
    assert.equal(none, 0)
    assert.equal(bytesOf(some).length, 32)
    assert.notDeepEqual(some, other)
    assert.equal(most, 65536)
  })

  it('refuse counts that are negative, too large or no integers', async () => {
    for (const count of ['-1', '65537', '1e18', '2^63', '-9223372036854775808', '9223372036854775807']) {
      assert.match(await lua.error(`return crypto.random_bytes(${count})`), /from 0 to 65536|integer/)
      assert.match(await lua.error(`return crypto.random_string(${count})`), /from 0 to 4096|integer/)
    }
    for (const count of ['0/0', '1/0', '1.5', '"8"', 'nil', '{}']) {
      assert.match(await lua.error(`return crypto.random_bytes(${count})`), /integer expected/)
    }
  })

  it('draw characters from the alphabet, all equally often', async () => {
    const [text] = await lua.run('return crypto.random_string(4096, "abc")')
    const counts = [...'abc'].map((each) => String(text).split(each).length - 1)
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      4096,
    )
    // A bias of a fifth would be six standard deviations away.
    for (const count of counts) assert.ok(Math.abs(count - 4096 / 3) < 4096 / 15, String(counts))
    const [plain, wide] = await lua.run('return crypto.random_string(40), crypto.random_string(9, "äöü€😀")')
    assert.match(String(plain), /^[A-Za-z0-9]{40}$/)
    assert.match(String(wide), /^[äöü€😀]{9}$/u)
  })

  it('refuse alphabets that would not be fair', async () => {
    for (const alphabet of [
      '""',
      '"a"',
      '"aba"',
      '"\\255\\254"',
      'string.rep("a", 100000)',
      `"${chars(257)}"`,
    ]) {
      assert.match(await lua.error(`return crypto.random_string(4, ${alphabet})`), /alphabet must/)
    }
    const [text] = await lua.run(`return crypto.random_string(4, "${chars(256)}")`)
    assert.equal([...String(text)].length, 4)
  })

  it('make UUIDs of version 4 and 7, the latter in the order of time', async () => {
    const [four, seven, later] = await lua.run('return crypto.uuid(), crypto.uuid(7), crypto.uuid(7)')
    assert.match(String(four), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.match(String(seven), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.ok(String(seven).slice(0, 13) <= String(later).slice(0, 13))
    const at = Number.parseInt(String(seven).replaceAll('-', '').slice(0, 12), 16)
    assert.ok(Math.abs(at - Date.now()) < 60_000)
    assert.match(await lua.error('return crypto.uuid(5)'), /version must be 4 or 7/)
  })
})

function chars(count: number): string {
  return Array.from({ length: count }, (_unused, at) => String.fromCodePoint(0x100 + at)).join('')
}

describe('digests', () => {
  it('are those of FIPS 180-4 for its examples', async () => {
    const [abc, none, long] = await lua.run(
      'return crypto.sha256("abc"), crypto.sha256(""), crypto.sha512("abc")',
    )
    assert.equal(abc, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.equal(none, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    assert.equal(
      long,
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    )
  })

  it('are written in the encoding that is asked for', async () => {
    const given = ['hex', 'base64', 'base64url'] as const
    for (const encoding of given) {
      const [text] = await lua.run(`return crypto.sha256("abc", { encoding = "${encoding}" })`)
      assert.equal(text, createHash('sha256').update('abc').digest(encoding))
    }
    const [raw] = await lua.run('return crypto.sha256("abc", { encoding = "raw" })')
    assert.deepEqual(bytesOf(raw), createHash('sha256').update('abc').digest())
    assert.match(
      await lua.error('return crypto.sha256("", { encoding = "latin1" })'),
      /encoding must be one of/,
    )
    assert.match(await lua.error('return crypto.sha256("", { encodin = "hex" })'), /unknown option "encodin"/)
    assert.match(await lua.error('return crypto.sha256("", "hex")'), /options must be a table/)
  })

  it('take any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const data = Buffer.from(bytes)
        const [hash, mac] = await lua.run(
          'local d = ... return crypto.sha512(d), crypto.hmac_sha256(d, d)',
          data,
        )
        assert.equal(hash, createHash('sha512').update(data).digest('hex'))
        assert.equal(mac, createHmac('sha256', data).update(data).digest('hex'))
      }),
      { numRuns: 60 },
    )
  })

  it('count large data as operations', async () => {
    const roomy = await ToolVm.create('', { operationsMax: 10 })
    assert.equal((await roomy.run('return #crypto.sha256(string.rep("x", 2500000))'))[0], 64)
    assert.match(
      await roomy.error('for i = 1, 3 do crypto.sha256(string.rep("x", 1048576)) end'),
      /operation/,
    )
    assert.match(
      await roomy.error('local x = string.rep("x", 1048576) for i = 1, 3 do crypto.hmac("sha1", x, x) end'),
      /operation/,
    )
  })
})

describe('HMAC', () => {
  const repeated = (byte: string, count: number): string => byte.repeat(count)
  // RFC 4231, section 4.
  const vectors = [
    {
      key: repeated('0b', 20),
      data: Buffer.from('Hi There').toString('hex'),
      sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      sha512:
        '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
    },
    {
      key: Buffer.from('Jefe').toString('hex'),
      data: Buffer.from('what do ya want for nothing?').toString('hex'),
      sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      sha512:
        '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    },
    {
      key: repeated('aa', 20),
      data: repeated('dd', 50),
      sha256: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      sha512:
        'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb',
    },
    {
      key: repeated('aa', 131),
      data: Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
      sha256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      sha512:
        '80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598',
    },
  ]

  it('is that of RFC 4231', async () => {
    for (const { key, data, sha256, sha512 } of vectors) {
      const [first, second, third] = await lua.run(
        `local key, data = crypto.hex_decode(arg.key), crypto.hex_decode(arg.data)
         return crypto.hmac("sha256", key, data), crypto.hmac("sha512", key, data), crypto.hmac_sha256(key, data)`,
        { key, data },
      )
      assert.deepEqual([first, second, third], [sha256, sha512, sha256])
    }
    // RFC 2202, section 3.
    const [sha1] = await lua.run('return crypto.hmac("sha1", "Jefe", "what do ya want for nothing?")')
    assert.equal(sha1, 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79')
  })

  it('refuses other algorithms', async () => {
    for (const algorithm of ['md5', 'SHA256', 'sha-256', '', 'rsa-sha256', 'constructor']) {
      assert.match(
        await lua.error(`crypto.hmac("${algorithm}", "k", "d")`),
        /must be one of sha256, sha384, sha512, sha1/,
      )
    }
  })
})

describe('equal', () => {
  it('compares bytes of any length', async () => {
    const [results] = await lua.run(`
      local eq = crypto.equal
      return { eq("", ""), eq("a", "a"), eq("a", "b"), eq("a", "ab"), eq("", "x"), eq("\\0", ""), eq("\\255", "\\255"),
        eq("\\255", "\\239\\191\\189"), eq("1", 1) }`)
    assert.deepEqual(results, [true, true, false, false, false, false, true, false, true])
    assert.match(await lua.error('return crypto.equal("a", nil)'), /string expected/)
  })
})

describe('encodings', () => {
  it('are those of RFC 4648 for its examples', async () => {
    const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar']
    const base64 = ['', 'Zg==', 'Zm8=', 'Zm9v', 'Zm9vYg==', 'Zm9vYmE=', 'Zm9vYmFy']
    const hex = ['', '66', '666F', '666F6F', '666F6F62', '666F6F6261', '666F6F626172']
    for (const [at, text] of texts.entries()) {
      const [a, b, c, d, e] = await lua.run(
        `return crypto.base64_encode(arg.text), crypto.base64_decode(arg.base64), crypto.hex_encode(arg.text),
          crypto.hex_decode(arg.hex), crypto.base64url_encode(arg.text)`,
        { text, base64: base64[at], hex: hex[at] },
      )
      const plain = base64[at]?.replaceAll('=', '')
      assert.deepEqual([a, b, c, d, e], [base64[at], text, hex[at]?.toLowerCase(), text, plain])
    }
    const [standard, url] = await lua.run(
      'return crypto.base64_encode("\\251\\255\\254"), crypto.base64url_encode("\\251\\255\\254")',
    )
    assert.deepEqual([standard, url], ['+//+', '-__-'])
  })

  for (const encoding of ['base64', 'base64url', 'hex'] as const) {
    it(`${encoding} gives any bytes back`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          const data = Buffer.from(bytes)
          const [text, back] = await lua.run(
            `local text = crypto.${encoding}_encode((...)) return text, crypto.${encoding}_decode(text)`,
            data,
          )
          assert.equal(text, data.toString(encoding))
          assert.deepEqual(bytesOf(back), data)
        }),
        { numRuns: 60 },
      )
    })

    it(`${encoding} reads nothing but what it could have written`, async () => {
      const anything = fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
        fc
          .string({ unit: fc.constantFrom(...'ABab019+/-_= \n'), maxLength: 12 })
          .map((text) => Buffer.from(text)),
      )
      await fc.assert(
        fc.asyncProperty(anything, async (input) => {
          const [back, reason] = await lua.run(
            `local bytes, reason = crypto.${encoding}_decode((...))
             return bytes and crypto.${encoding}_encode(bytes) or false, reason`,
            input,
          )
          const text = input.toString('latin1')
          if (back === false) assert.match(String(reason), /no well-formed/)
          else assert.equal(back, encoding === 'hex' ? text.toLowerCase() : text)
        }),
        { numRuns: 150 },
      )
    })
  }

  it('refuse text that is almost right', async () => {
    const wrong = {
      base64: [
        'Zg',
        'Zg=',
        'Zh==',
        'Zm9=',
        'Zg==\n',
        ' Zg==',
        'Zm9v=',
        '====',
        'Zm9vYg==Zg==',
        'Z',
        '-__-',
        'Zm\u00009v',
        '\uff21AAA',
      ],
      base64url: ['Zg==', 'Zh', 'Zm9', '+//+', 'Z', 'Zm 9v', 'Zg\n'],
      hex: ['6', '0x66', '6g', '66 6f', '666', '\u0666\u0666'],
    }
    for (const [encoding, texts] of Object.entries(wrong)) {
      for (const text of texts) {
        const [value, reason] = await lua.run(`return crypto.${encoding}_decode(arg)`, text)
        assert.equal(value, undefined, `${encoding} ${JSON.stringify(text)}`)
        assert.match(String(reason), /no well-formed/)
      }
    }
    assert.match(await lua.error('return crypto.base64_decode(nil)'), /string expected/)
  })
})

describe('memory', () => {
  it('is that of the VM, also for what is made of large texts', async () => {
    const small = await ToolVm.create('', { memoryBytesMax: 24 * 1024 * 1024 })
    const message = await small.error('local x = string.rep("x", 9000000) return #crypto.hex_encode(x)')
    assert.match(message, /memory|too large/)
    const large = await ToolVm.create('', { memoryBytesMax: 256 * 1024 * 1024 })
    assert.match(await large.error('return #crypto.hex_encode(string.rep("x", 17000000))'), /too large|limit/)
  })
})

describe('module scope', () => {
  it('has what needs nobody else', async () => {
    const tool = await ToolVm.create('id = crypto.uuid() hash = crypto.sha256(id .. crypto.random_string(4))')
    assert.match(String((await tool.run('return hash'))[0]), /^[0-9a-f]{64}$/)
  })
})
