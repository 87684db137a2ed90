import { type Static, Type } from '@sinclair/typebox'
import { adminLimits } from '../base/limits/server.js'
import { requirementSchema } from './requirement-schema.js'

const strict = { additionalProperties: false } as const
const text = (description: string) => Type.String({ description })
const list = { maxItems: adminLimits.itemsMax, description: 'May be empty.' }

const plugin = text('Name of the plugin.')
const plugin_name = plugin
const plugin_version = text('Version of the plugin that asks for it.')
const approved = Type.Boolean({ description: 'Nothing is approved by default.' })

const hookFields = {
  event: text('E.g. before_create.'),
  table: text('Name of a table as the plugin registered it; `*` stands for all.'),
}
const requestFields = { domain: text('Exact host name, lower case.') }
const coreFields = {
  table: text('Name of a core table.'),
  access: Type.String({ enum: ['read', 'write'] }),
}
const kvFields = {
  namespace: text('Name of a shared namespace of the key-value store, without `shared:`.'),
  access: Type.String({ enum: ['read', 'write'] }),
}

const stageFields = { stage: text('What the approval belongs to, as the list gives it.') }
const authFields = {
  part: text(
    'What an approval belongs to, e.g. `authenticator badge bearer=badge_` or `authorizer office_hours`.',
  ),
}

const gatewayFields = { access: Type.String({ enum: ['log:read', 'stats:read', 'shell:write'] }) }

/** The source that an approval is meant for; `diff` tells it. */
export const contentHashSchema = Type.Optional(
  text(
    'The source that was looked at: the approval is refused when another is loaded. Ignored by revoke. Any when missing.',
  ),
)
const reference = { plugin, content_hash: contentHashSchema }

export const hookListSchema = Type.Object({
  hooks: Type.Array(
    Type.Object({
      plugin_name,
      ...hookFields,
      priority: Type.Integer({ description: 'The lower, the earlier.' }),
      approved,
      is_wildcard: Type.Boolean({ description: 'True when it is for all tables.' }),
      plugin_version,
    }),
    { description: 'One for each registration; those of one plugin, event and table share one approval.' },
  ),
})

export const requestListSchema = Type.Object({
  requests: Type.Array(
    Type.Object({
      plugin_name,
      ...requestFields,
      description: text('What the plugin says it is for.'),
      approved,
      plugin_version,
    }),
  ),
})

export const coreListSchema = Type.Object({
  core: Type.Array(Type.Object({ plugin_name, ...coreFields, approved, plugin_version })),
})

export const kvListSchema = Type.Object({
  kv: Type.Array(Type.Object({ plugin_name, ...kvFields, approved, plugin_version })),
})

export const stageListSchema = Type.Object({
  stages: Type.Array(
    Type.Object({
      plugin_name,
      ...stageFields,
      description: text('What it does, and what the plugin says it is for.'),
      approved,
      plugin_version,
    }),
  ),
})

export const authListSchema = Type.Object({
  auth_parts: Type.Array(
    Type.Object({
      plugin_name,
      ...authFields,
      description: text('What it sees and decides.'),
      approved,
      plugin_version,
    }),
  ),
})

export const gatewayListSchema = Type.Object({
  gateway_access: Type.Array(
    Type.Object({
      plugin_name,
      ...gatewayFields,
      description: text('What it can do.'),
      approved,
      plugin_version,
    }),
  ),
})

export const hookBodySchema = Type.Object(
  { hooks: Type.Array(Type.Object({ ...reference, ...hookFields }, strict), list) },
  strict,
)
export type HookBody = Static<typeof hookBodySchema>

export const requestBodySchema = Type.Object(
  { requests: Type.Array(Type.Object({ ...reference, ...requestFields }, strict), list) },
  strict,
)
export type RequestBody = Static<typeof requestBodySchema>

export const coreBodySchema = Type.Object(
  { core: Type.Array(Type.Object({ ...reference, ...coreFields }, strict), list) },
  strict,
)
export type CoreBody = Static<typeof coreBodySchema>

export const kvBodySchema = Type.Object(
  { kv: Type.Array(Type.Object({ ...reference, ...kvFields }, strict), list) },
  strict,
)
export type KvBody = Static<typeof kvBodySchema>

export const stageBodySchema = Type.Object(
  { stages: Type.Array(Type.Object({ ...reference, ...stageFields }, strict), list) },
  strict,
)
export type StageBody = Static<typeof stageBodySchema>

export const authBodySchema = Type.Object(
  { auth_parts: Type.Array(Type.Object({ ...reference, ...authFields }, strict), list) },
  strict,
)
export type AuthBody = Static<typeof authBodySchema>

export const gatewayBodySchema = Type.Object(
  { gateway_access: Type.Array(Type.Object({ ...reference, ...gatewayFields }, strict), list) },
  strict,
)
export type GatewayBody = Static<typeof gatewayBodySchema>

const kind = Type.String({ enum: ['route', 'hook', 'domain', 'core', 'kv', 'stage', 'gateway', 'auth'] })
const key = text(
  'E.g. `GET /tasks`, `before_create:content_data`, `api.example.com`, `content_data:read`, `config:read`, `log:read`.',
)
const formerly = {
  plugin_version: text('Version that it was approved for.'),
  approved_at: text('RFC 3339.'),
  approved_by: text('Name of the user who approved.'),
}
const itemFields = {
  kind,
  key,
  description: text('What it can do, or what the plugin says it is for.'),
  public: Type.Optional(
    Type.Boolean({ description: 'Of a route: whether it answers without a credential once it is approved.' }),
  ),
  requires: Type.Optional(requirementSchema),
}

export const diffSchema = Type.Object({
  plugin,
  plugin_version: text('Version that is loaded.'),
  content_hash: text('SHA-256 of the source that is loaded; give it back when approving.'),
  waiting: Type.Array(
    Type.Object({
      ...itemFields,
      approved_before: Type.Optional(
        Type.Object(formerly, { description: 'The approval that ended when the plugin changed.' }),
      ),
    }),
    { description: 'Asked for, and not approved.' },
  ),
  approved: Type.Array(Type.Object(itemFields), { description: 'Asked for, and approved.' }),
  dropped: Type.Array(Type.Object({ kind, key, ...formerly, dropped_at: text('RFC 3339.') }), {
    description: 'No longer asked for since somebody approved something of the plugin.',
  }),
})
