import type { Phase } from '../../sandbox/phase.js'
import {
  type Capability,
  defineCapability,
  type FunctionDefinition,
  type ParamDoc,
  type ReturnDoc,
} from '../define.js'
import { fireHook, listLines, listRequests, mockRequest, sendRequest } from './asking.js'
import { assertionDocs } from './assertion-docs.js'
import { authTestFunctions } from './auth-functions.js'
import { testClasses } from './class-docs.js'
import { testLua } from './lua-part.js'
import { noteFailure, notePassed } from './recording.js'
import { testTopics } from './topics.js'

const inTests: readonly Phase[] = ['test']

/** A function that waits for the host; it costs no operations of the plugin. */
function asking(
  name: string,
  doc: string,
  example: string,
  params: readonly ParamDoc[],
  returns: readonly ReturnDoc[],
  handler: FunctionDefinition['handler'],
): FunctionDefinition {
  return { name, doc, example, params, returns, handler, phases: inTests, cost: 0, mode: 'async' }
}

/** A function that only the Lua part of the module calls. */
function inner(
  name: string,
  mode: 'sync' | 'async',
  params: readonly ParamDoc[],
  handler: FunctionDefinition['handler'],
  phases: readonly Phase[] = inTests,
): FunctionDefinition {
  return { name, doc: 'Inner part.', params, returns: [], handler, phases, cost: 0, mode }
}

const message: ParamDoc = { name: 'message', type: 'string', doc: 'What is wrong.' }
const line: ParamDoc = { name: 'line', type: 'integer', doc: 'Line of the test file.' }

/**
 * The Lua module `test`, for the files in a plugin's `test/` folder. Installed only where tests are run, and there
 * only for these files.
 */
export const testCapability: Capability = defineHidden(
  defineCapability({
    name: 'test',
    doc: [
      "What the files in a plugin's `test/` folder use to say what the plugin promises. It exists only there, under",
      '`modulacms plugin test`: the plugin itself never sees it.',
      '',
      'Each global function whose name starts with `test_` is one test. It runs in the sandbox that serves the plugin,',
      'with a database of its own. Assertions that do not hold are noted, and the test goes on.',
    ].join('\n'),
    classes: testClasses(),
    luaFunctions: assertionDocs(inTests),
    functions: [
      asking(
        'request',
        [
          "Sends a request to the host's routes and waits for the answer. All routes of the plugin are approved.",
          '',
          'With `identity` somebody of your own sends it. To try an authenticator of the plugin, send its credential in',
          '`headers` with `auth = "none"`.',
          '',
          'Waits, so it cannot be called inside `db.transaction`. Raises for an unknown `auth`, for an identity that cannot',
          'be, and for a path that does not start with `/`.',
        ].join('\n'),
        'local listed = test.request("GET", "/api/v1/plugins/guest_book/notes", { auth = "none" })',
        [
          { name: 'method', type: 'string', doc: 'Method; upper or lower case.' },
          { name: 'path', type: 'string', doc: 'Whole path, with the query.' },
          {
            name: 'options',
            type: 'any',
            optional: true,
            luaType: 'test.RequestOptions?',
            doc: 'Body, headers and sender.',
          },
        ],
        [{ luaType: 'test.Response', doc: 'What was answered.' }],
        sendRequest,
      ),
      asking(
        'fire_hook',
        [
          'Runs the hooks of the plugin for an event, as a write or a read of content would.',
          '',
          '`before_create`, `before_update`, `before_delete`, `before_publish` and `before_archive` give why the write',
          'is refused, or nil and the row as the hooks left it; `data._old` is the row as it was. Their `after_`',
          'events give nil at once; `test.wait_hooks` waits for them. `before_read` gives the response that takes the',
          "entry's place (nil when there is none), the state for the after-hooks, and an error; `after_read` takes that",
          'state and gives the added headers and an error. Raises for any other event.',
        ].join('\n'),
        'local refusal, row = test.fire_hook("before_create", "content_data", { title = "" })',
        [
          { name: 'event', type: 'string', doc: 'Name of the event, e.g. `before_update`.' },
          { name: 'table', type: 'string', doc: 'Table of the host, e.g. `content_data`.' },
          { name: 'data', type: 'table', optional: true, doc: 'The row, or what is read.' },
          { name: 'state', type: 'table', optional: true, doc: 'For `after_read`: what `before_read` gave.' },
        ],
        [
          { luaType: 'any', doc: 'Refusal, response or headers; see above.' },
          { luaType: 'any', doc: 'Row, state or error; see above.' },
          { luaType: 'string?', doc: 'Error of `before_read`.' },
        ],
        fireHook,
      ),
      asking(
        'wait_hooks',
        'Waits until all after-hooks that have been fired have run. One that fails is tried again later, as always.',
        'test.assert_eq({}, test.wait_hooks())',
        [],
        [{ luaType: 'string[]', doc: 'Errors of those that failed.' }],
        async (call) => [...((await call.ask(testTopics.waitHooks, undefined)) as readonly string[])],
      ),
      asking(
        'wait_messages',
        [
          'Waits until the functions of `kv.listen` and `kv.on_change` have been called with everything that is due for',
          'them, what they send and change themselves included. A message that fails is tried again later, as always,',
          'and one that was sent with a delay comes later; neither is waited for.',
        ].join('\n'),
        'test.assert_eq(0, test.wait_messages())',
        [],
        [{ luaType: 'integer', doc: 'Messages that are left: to be tried later, and dead letters.' }],
        async (call) => (await call.ask(testTopics.waitMessages, undefined)) as number,
      ),
      asking(
        'mock_request',
        [
          'Answers outbound requests of the plugin. No test reaches the network: what no mock answers fails with an',
          '`error`. The first mock that fits is used, any number of times; scheme and query do not matter.',
        ].join('\n'),
        'test.mock_request("GET", "api.example.com/rates", { json = { eur = 1.1 } })',
        [
          { name: 'method', type: 'string', doc: 'Method; upper or lower case.' },
          { name: 'target', type: 'string', doc: 'Host and path, e.g. `api.example.com/rates`.' },
          {
            name: 'answer',
            type: 'any',
            optional: true,
            luaType: 'test.MockAnswer?',
            doc: 'What is answered; 200 without a body when missing.',
          },
        ],
        [],
        mockRequest,
      ),
      asking(
        'requests',
        'Lists the outbound requests that the plugin has made in this test, the first one first.',
        'test.assert_eq("POST", test.requests()[1].method)',
        [],
        [{ luaType: 'test.SeenRequest[]', doc: 'The requests.' }],
        listRequests,
      ),
      asking(
        'log',
        'Lists what the plugin has logged since it was loaded for this test, the first line first.',
        'test.assert_contains(test.log()[1].message, "is ready")',
        [],
        [{ luaType: 'test.LogLine[]', doc: 'The lines.' }],
        listLines,
      ),
      ...authTestFunctions,
      inner('_passed', 'sync', [], notePassed),
      inner('_failed', 'sync', [message, line], (call, text, at) => noteFailure(call, text, at, false)),
      inner('_raised', 'sync', [message, line], (call, text, at) => noteFailure(call, text, at, true)),
      inner(
        '_begin',
        'async',
        [{ name: 'names', type: 'string', doc: 'Names of the tests, one a line.' }],
        async (call, names) => {
          const list = typeof names === 'string' && names !== '' ? names.split('\n') : []
          return (await call.ask(testTopics.begin, list)) as string | undefined
        },
      ),
      inner(
        '_hold',
        'async',
        [],
        async (call) => {
          await call.ask(testTopics.hold, undefined)
          return undefined
        },
        ['init'],
      ),
    ],
    lua: testLua,
  }),
)

function defineHidden(capability: Capability): Capability {
  return { ...capability, module: { ...capability.module, isHidden: true } }
}
