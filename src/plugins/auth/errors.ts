import { defineError } from '../../base/errors.js'

/** Raised at the start when two plugins, or a plugin and the configuration, have an authenticator or authorizer of one name. */
export const authNameTaken = defineError(
  'AUTH_NAME_TAKEN',
  500,
  'The {kind} "{name}" is there twice, by {owner} and by {other}. Rename one of them, or disable one plugin.',
)
