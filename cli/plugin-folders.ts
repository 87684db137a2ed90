import { relative, resolve } from 'node:path'
import { messageOf } from '../src/base/errors.js'
import { discoverFolders } from '../src/plugins/discovery.js'
import { CliError } from './cli-error.js'
import type { CliContext, ValidationReport, Validator } from './context.js'
import { exitCodes } from './exit-codes.js'

/** Opens a validator for the time of one piece of work. */
export async function withValidator<Result>(
  context: CliContext,
  work: (validator: Validator) => Promise<Result>,
): Promise<Result> {
  const validator = await context.openValidator()
  try {
    return await work(validator)
  } finally {
    await validator.close()
  }
}

/** Names the folders of a plugin directory that hold an init.lua, in alphabetical order. */
export async function findPluginFolders(directory: string): Promise<readonly string[]> {
  try {
    return await discoverFolders(directory, { create: false })
  } catch (thrown) {
    throw new CliError(
      exitCodes.notFound,
      'PLUGIN_DIRECTORY_UNREADABLE',
      `${directory}: ${messageOf(thrown)} Name another with --plugins or --config, or make one with \`modulacms plugin init NAME\`.`,
    )
  }
}

/** Validates one folder; a validator that fails becomes an error of the report. */
export async function validateFolder(validator: Validator, directory: string): Promise<ValidationReport> {
  try {
    return await validator.validate(directory)
  } catch (thrown) {
    return { errors: [{ field: 'plugin', message: messageOf(thrown) }], warnings: [], routes: [] }
  }
}

/** Gives a path as a person in the working directory would write it. */
export function shownPath(context: CliContext, path: string): string {
  const short = relative(resolve(context.workingDirectory), path)
  if (short === '') return '.'
  return short.startsWith('..') ? path : short
}
