import { Type } from '@sinclair/typebox'
import { identityKinds } from '../identity/identity.js'
import { permissionNames } from '../identity/permissions.js'

const texts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))
const types = identityKinds.filter((kind) => kind !== 'anonymous')

/** What a route of a plugin needs of its callers, as `auth.require` says it. */
export const requirementSchema = Type.Object(
  {
    roles: texts('One of them is enough.'),
    permissions: Type.Optional(
      Type.Array(Type.String({ enum: [...permissionNames] }), { description: 'It takes all of them.' }),
    ),
    tenant: Type.Optional(Type.Boolean({ description: 'True: it takes somebody who belongs to a tenant.' })),
    authenticators: texts('One of them has to vouch.'),
    types: Type.Optional(
      Type.Array(Type.String({ enum: types }), { description: 'What the caller has to be one of.' }),
    ),
  },
  {
    description: 'Of a route: what callers need beside a credential. Missing where any credential is enough.',
  },
)
