import { defineError } from '../base/errors.js'

/** The tests of a plugin cannot be run at all. */
export const testsImpossible = defineError(
  'PLUGIN_TESTS_IMPOSSIBLE',
  422,
  'The tests of {plugin} cannot be run: {reason}',
)

/** A test asks for something that there is not. */
export const testMisuse = defineError('TEST_MISUSE', 422, '{reason}')
