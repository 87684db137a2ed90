import type { ClassDoc } from '../define.js'

/** Shapes of the tables that the functions of `test` take and give. */
export function testClasses(): readonly ClassDoc[] {
  return [
    {
      name: 'test.RequestOptions',
      doc: 'A request beside its method and path.',
      fields: [
        {
          name: 'body',
          luaType: 'string|table|nil',
          doc: 'A text is sent as it is, a table as JSON; the type is `application/json` unless `headers` has one.',
        },
        { name: 'headers', luaType: 'table<string, string>?', doc: 'Headers by name.' },
        {
          name: 'auth',
          luaType: '"admin"|"viewer"|"none"|nil',
          doc: 'Who sends it; an admin when left out. A viewer is signed in with the role `viewer`.',
        },
        {
          name: 'identity',
          luaType: 'test.Identity?',
          doc: 'Who sends it, in the place of `auth`.',
        },
      ],
    },
    {
      name: 'test.Identity',
      doc: [
        'Somebody who sends a request of a test: what authenticators give to `auth.identity`, and who vouches. The roles of',
        'the host permit what they always do, e.g. `operator`. Other members are refused.',
      ].join('\n'),
      fields: [
        {
          name: 'type',
          luaType: '"user"|"service"|"worker"|"key"|nil',
          doc: 'Left out: `"user"`.',
        },
        { name: 'id', luaType: 'string|integer', doc: 'Unique among those of one type and authenticator.' },
        { name: 'name', luaType: 'string?', doc: 'How people call them.' },
        { name: 'email', luaType: 'string?', doc: 'Where mail reaches them.' },
        { name: 'tenant_id', luaType: 'string?', doc: 'The tenant whose data they may see; nil for none.' },
        { name: 'roles', luaType: 'string[]?', doc: 'Their roles.' },
        { name: 'groups', luaType: 'string[]?', doc: 'Their groups.' },
        { name: 'attributes', luaType: 'table<string, any>?', doc: 'What else is known.' },
        { name: 'authenticator', luaType: 'string?', doc: 'Who vouches for them. Left out: `"test"`.' },
      ],
    },
    {
      name: 'test.Response',
      doc: 'What was answered to a request of a test.',
      fields: [
        { name: 'status', luaType: 'integer', doc: 'Status.' },
        { name: 'headers', luaType: 'table<string, string>', doc: 'Headers by lower-case name.' },
        { name: 'body', luaType: 'string', doc: 'Bytes of the body; `""` without one.' },
        { name: 'json', luaType: 'any', doc: 'The decoded body when its type is `application/json`.' },
      ],
    },
    {
      name: 'test.MockAnswer',
      doc: 'What a mock answers.',
      fields: [
        { name: 'status', luaType: 'integer?', doc: 'Status from 100 to 599; 200 when left out.' },
        { name: 'headers', luaType: 'table<string, string>?', doc: 'Headers by name.' },
        { name: 'json', luaType: 'any', doc: 'A value that is sent as JSON; excludes `body`.' },
        { name: 'body', luaType: 'string?', doc: 'Bytes of the body; none when left out.' },
      ],
    },
    {
      name: 'test.SeenRequest',
      doc: 'An outbound request that the plugin has made.',
      fields: [
        { name: 'method', luaType: 'string', doc: 'Method in upper case.' },
        { name: 'url', luaType: 'string', doc: 'Whole address.' },
        { name: 'headers', luaType: 'table<string, string>', doc: 'Headers by lower-case name.' },
        { name: 'body', luaType: 'string', doc: 'Bytes of the body; `""` without one.' },
        { name: 'mocked', luaType: 'boolean', doc: 'Whether a mock has answered it.' },
      ],
    },
    {
      name: 'test.LogLine',
      doc: 'A line that the plugin has logged.',
      fields: [
        { name: 'level', luaType: '"debug"|"info"|"warn"|"error"', doc: 'Level.' },
        { name: 'message', luaType: 'string', doc: 'Text.' },
        { name: 'context', luaType: 'table<string, string>', doc: 'Facts beside the text.' },
      ],
    },
  ]
}
