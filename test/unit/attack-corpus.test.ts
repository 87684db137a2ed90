import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Attack, parseAttack, readCorpus } from '../attack/corpus.js'
import { RawLua } from '../helpers/raw-lua.js'

/** Rows of the catalogue that plugins can act out with db, http, json, log, request and require. */
const rows = [
  ...[
    'A01',
    'A02',
    'A03',
    'A05',
    'A06',
    'A07',
    'A08',
    'A09',
    'A11',
    'A12',
    'A13',
    'A14',
    'A15',
    'A17',
    'A18',
    'A19',
  ],
  ...[
    'A20',
    'A21',
    'A23',
    'A24',
    'A25',
    'A26',
    'A27',
    'A29',
    'A30',
    'A31',
    'A32',
    'A33',
    'A35',
    'A36',
    'A37',
    'A38',
  ],
  ...[
    'B01',
    'B02',
    'B03',
    'B05',
    'B06',
    'B07',
    'B08',
    'B09',
    'B11',
    'B12',
    'B13',
    'B14',
    'B15',
    'B17',
    'B18',
    'B20',
  ],
  ...[
    'B21',
    'C01',
    'C02',
    'C03',
    'C05',
    'C06',
    'C07',
    'C08',
    'C11',
    'C12',
    'C13',
    'C14',
    'C15',
    'C17',
    'C18',
    'C19',
  ],
  ...[
    'C20',
    'C21',
    'C23',
    'C24',
    'C25',
    'C26',
    'C27',
    'C29',
    'C30',
    'C31',
    'C32',
    'C33',
    'C35',
    'C36',
    'C37',
    'C39',
  ],
  ...['D01', 'D02', 'D03', 'D05', 'D06', 'D08', 'D09', 'E01', 'E02', 'E03', 'E15', 'E17', 'E21', 'E27'],
  ...['F01', 'F02', 'F03', 'F07', 'F08', 'F09', 'F11', 'F13', 'F14', 'F15'],
  ...['G01', 'G02', 'G03', 'G05', 'G06', 'G07', 'G08', 'G19', 'H03', 'H05', 'H13', 'H14'],
  ...[
    'W01',
    'W02',
    'W03',
    'W04',
    'W05',
    'W06',
    'W07',
    'W08',
    'W09',
    'W10',
    'W16',
    'W17',
    'W18',
    'W19',
    'W20',
    'W21',
  ],
  ...[
    'W22',
    'W23',
    'W24',
    'W27',
    'W28',
    'W29',
    'W30',
    'W31',
    'W32',
    'W33',
    'W35',
    'W36',
    'W37',
    'W38',
    'W39',
  ],
  ...[
    'CVE-2015-4335',
    'CVE-2015-8080',
    'CVE-2018-11218',
    'CVE-2018-11219',
    'CVE-2020-14147',
    'CVE-2021-32626',
  ],
  ...[
    'CVE-2022-0543',
    'CVE-2022-24735',
    'CVE-2022-24736',
    'CVE-2024-46981',
    'CVE-2025-46817',
    'CVE-2025-46818',
  ],
  ...['CVE-2025-46819', 'CVE-2025-49844'],
]

/** Attacks whose point is that they do not compile. */
const malformed = new Set([
  ...['a20-bytecode-file', 'c25-nested-parentheses', 'c25-nested-tables', 'c25-many-locals'],
  ...['c25-long-string-delimiter', 'c25-syntax-error'],
])

const small = (header: string): Attack => parseAttack('small', `${header}\n\nreturn 1\n`)

describe('the attack corpus', () => {
  it('parses whole', () => {
    assert.ok(readCorpus().length >= 120)
  })

  it('has no two files of one title, and each file begins with the row that it stands for', () => {
    const corpus = readCorpus()
    assert.equal(new Set(corpus.map(({ title }) => title)).size, corpus.length)
    for (const { ids, file } of corpus) {
      assert.equal(new Set(ids).size, ids.length, file)
      for (const id of ids) assert.match(id, /^([A-I]\d\d|W\d\d|CVE-\d{4}-\d+)$/, file)
    }
  })

  it('has an attack for every row of the catalogue that a plugin can act out', () => {
    const covered = new Set(readCorpus().flatMap(({ ids }) => ids))
    assert.deepEqual(
      rows.filter((row) => !covered.has(row)),
      [],
    )
  })

  it('compiles, but for the attacks on the compiler', async () => {
    const lua = await RawLua.create()
    for (const { file, source } of readCorpus()) {
      const problem = lua.syntaxError(`plugin_info = {} ${source}`, file)
      assert.equal(problem !== undefined, malformed.has(file), `${file}: ${problem}`)
    }
  })

  it('registers the routes that its headers promise', () => {
    for (const { file, source, request, hasAfter, expect } of readCorpus()) {
      const route = source.includes(`http.handle("${request.method}", "/attack", `)
      assert.equal(route || expect.kind === 'load-failed', true, file)
      assert.equal(source.includes('http.handle("GET", "/after", '), hasAfter, file)
    }
  })
})

describe('the parser of attack headers', () => {
  it('reads every line of a full header', () => {
    const attack = small(
      '-- id: A01 B05\n-- title: A title\n-- expect: json:{"a":1}\n-- hard: stopped\n-- request: POST {"b":2}\n-- after: clean',
    )
    assert.deepEqual(attack.ids, ['A01', 'B05'])
    assert.deepEqual(attack.expect, { kind: 'json', body: '{"a":1}' })
    assert.deepEqual(attack.hard, { kind: 'stopped' })
    assert.deepEqual(attack.request, { method: 'POST', body: '{"b":2}' })
    assert.equal(attack.hasAfter, true)
  })

  it('fills in what is left out', () => {
    const attack = small('-- id: A01\n-- title: A title\n-- expect: refused')
    assert.deepEqual(attack.hard, { kind: 'refused' })
    assert.deepEqual(attack.request, { method: 'GET', body: undefined })
    assert.equal(attack.hasAfter, false)
  })

  it('refuses lines that are missing, unknown, repeated or wrong, and names the file', () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ['-- title: x\n-- expect: refused', /small: header line "id" is missing/],
      ['-- id: A01\n-- id: A02', /small: header line "id" occurs twice/],
      ['-- id: A01\n-- colour: red', /small: unknown header line "colour"/],
      ['-- id: A01\n-- title: x\n-- expect: survives', /small: unknown outcome "survives"/],
      ['-- id: A01\n-- title: x\n-- expect: json:{', /JSON/],
      ['-- id: A01\n-- title: x\n-- expect: refused\n-- request: FETCH', /small: request "FETCH"/],
    ]
    for (const [header, message] of refused) assert.throws(() => small(header), message)
  })
})
