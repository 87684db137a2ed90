import { defineError } from '../../base/errors.js'

/** Raised at the start when two plugins have an authenticator or authorizer of one name. */
export const authNameTaken = defineError(
  'AUTH_NAME_TAKEN',
  500,
  'The plugins {owner} and {other} both have the {kind} "{name}". Rename one of them, or disable one plugin.',
)
