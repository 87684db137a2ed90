import { type Command, InvalidArgumentError } from 'commander'
import type { PolicyClient } from '../../sdk/client/index.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'

/** One command of `policy`. */
export interface PolicyCommand<Options extends ServerOptions = ServerOptions> {
  readonly command: Command
  readonly context: CommandContext
  /** Behind the name of the program, e.g. `policy list`. */
  readonly examples: readonly string[]
  /** Called with the policies of the server, the options and the arguments. */
  run(policies: PolicyClient, options: Options, words: readonly string[]): Promise<void>
}

/** Gives a command the options of a server and lets it run. */
export function finishPolicyCommand<Options extends ServerOptions = ServerOptions>({
  command,
  context,
  examples,
  run,
}: PolicyCommand<Options>): void {
  const lines = examples.map((example) => `  $ modulacms ${example}`)
  addServerOptions(command)
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
    .action(async (...given: unknown[]) => {
      // Arguments, then the options, then the command itself.
      const words = given.slice(0, -2).flat() as readonly string[]
      const { client } = await connect(context, given.at(-2) as Options)
      await run(client.policies, given.at(-2) as Options, words)
    })
}

/** Reads the number of a version. @throws InvalidArgumentError */
export function parseVersion(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number, as `policy show` has it.')
}
