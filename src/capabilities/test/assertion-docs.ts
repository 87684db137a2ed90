import type { Phase } from '../../sandbox/phase.js'
import type { LuaFunctionDoc, ParamDoc, ReturnDoc } from '../define.js'

const messageParam: ParamDoc = {
  name: 'message',
  type: 'any',
  optional: true,
  luaType: 'string?',
  doc: 'Stands in front of what is reported.',
}

const held: ReturnDoc = { luaType: 'boolean', doc: 'Whether it held.' }

function value(name: string, doc: string): ParamDoc {
  return { name, type: 'any', doc }
}

/** What the reference says of the functions that the Lua part of the module defines. */
export function assertionDocs(phases: readonly Phase[]): readonly LuaFunctionDoc[] {
  const fixture = (name: string, when: string): LuaFunctionDoc => ({
    name,
    doc: `Sets the function that runs ${when} each test of the file; a later call replaces it. What it raises is a failure of the test.`,
    phases,
    params: [{ name: 'fn', type: 'function', luaType: 'fun()', doc: 'Runs with the database of the test.' }],
    returns: [],
    example: `test.${name}(function() db.insert("notes", { text = "one" }) end)`,
  })
  return [
    {
      name: 'assert',
      doc: 'Expects a value that counts as true: neither nil nor false.',
      phases,
      params: [value('value', 'What is checked.'), messageParam],
      returns: [held],
      example: 'test.assert(note.id ~= "", "a note has an id")',
    },
    {
      name: 'assert_eq',
      doc: [
        'Expects two equal values. Tables are compared by their keys and values, both ways and without metatables;',
        '`1` and `1.0` are equal, `1` and `"1"` are not. The report names the first place where tables differ.',
      ].join('\n'),
      phases,
      params: [value('expected', 'What it should be.'), value('actual', 'What it is.'), messageParam],
      returns: [held],
      example: 'test.assert_eq({ "a", "b" }, tags)',
    },
    {
      name: 'assert_neq',
      doc: 'Expects two values that are not equal; see `test.assert_eq`.',
      phases,
      params: [value('unexpected', 'What it should not be.'), value('actual', 'What it is.'), messageParam],
      returns: [held],
      example: 'test.assert_neq(first.id, second.id)',
    },
    {
      name: 'assert_nil',
      doc: 'Expects nil.',
      phases,
      params: [value('value', 'What is checked.'), messageParam],
      returns: [held],
      example: 'test.assert_nil(db.query_one("notes", { where = { id = "none" } }))',
    },
    {
      name: 'assert_not_nil',
      doc: 'Expects anything but nil.',
      phases,
      params: [value('value', 'What is checked.'), messageParam],
      returns: [held],
      example: 'test.assert_not_nil(response.json)',
    },
    {
      name: 'assert_error',
      doc: [
        'Calls a function and expects it to raise. What ends a call for good (time, instructions) ends the test all',
        'the same. Raises when the first argument is no function.',
      ].join('\n'),
      phases,
      params: [
        { name: 'fn', type: 'function', luaType: 'fun()', doc: 'Is called without arguments.' },
        {
          name: 'substring',
          type: 'string',
          optional: true,
          doc: 'Text that the error contains, literally; any error will do when it is left out.',
        },
      ],
      returns: [held, { luaType: 'any', doc: 'What was raised.' }],
      example: 'test.assert_error(function() db.update("notes", { set = { text = "x" } }) end, "where")',
    },
    {
      name: 'assert_contains',
      doc: 'Expects a text that contains another one, literally.',
      phases,
      params: [
        value('text', 'Text that is searched.'),
        value('part', 'Text that it contains.'),
        messageParam,
      ],
      returns: [held],
      example: 'test.assert_contains(response.json.error, "too long")',
    },
    fixture('setup', 'before'),
    fixture('teardown', 'after'),
  ]
}
