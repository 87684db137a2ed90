import type { CliContext, ServerFlags, ValidationReport } from '../../cli/context.js'
import { runCli } from '../../cli/program.js'

/** What one run of the command left behind. */
export interface CliRun {
  readonly exitCode: number
  readonly out: string
  readonly err: string
  readonly questions: readonly string[]
  /** Folders that were validated. */
  readonly validated: readonly string[]
  /** Flags of `serve`, when it ran. */
  readonly served: ServerFlags | undefined
}

/** What differs from run to run. */
export interface CliRunOptions {
  readonly workingDirectory: string
  readonly environment?: Readonly<Record<string, string>>
  /** Answers of the person at the terminal; without them nobody is there to be asked. */
  readonly answers?: readonly string[]
  readonly colors?: boolean
  /** What stands in standard input, in the pieces in which it comes. */
  readonly input?: readonly string[]
  readonly stubsDirectory?: string
  /** Report for a folder. */
  readonly validate?: (directory: string) => ValidationReport
  /** Report for a configuration. */
  readonly checkConfig?: CliContext['checkConfig']
  readonly serverExitCode?: number
  readonly fetch?: typeof fetch
}

/** Runs the command in this process with a terminal that is a list of texts. */
export async function runCommand(words: readonly string[], options: CliRunOptions): Promise<CliRun> {
  let out = ''
  let err = ''
  let served: ServerFlags | undefined
  const questions: string[] = []
  const validated: string[] = []
  const answers = [...(options.answers ?? [])]
  const context: CliContext = {
    version: '9.8.7',
    workingDirectory: options.workingDirectory,
    environment: options.environment ?? {},
    stubsDirectory: options.stubsDirectory ?? '/nonexistent',
    fetch: options.fetch,
    terminal: {
      interactive: options.answers !== undefined,
      colors: options.colors ?? false,
      writeOut: (text) => {
        out += text
      },
      stream: async (text) => {
        out += text
      },
      async *input() {
        yield* options.input ?? []
      },
      writeError: (text) => {
        err += text
      },
      ask: async (question) => {
        questions.push(question)
        return answers.shift() ?? ''
      },
      askSecret: async (question) => {
        questions.push(question)
        return answers.shift() ?? ''
      },
    },
    runServer: async (flags) => {
      served = flags
      return options.serverExitCode ?? 0
    },
    runPluginTests: async () => {
      throw new Error('no plugin is tested here')
    },
    watchPlugin: async () => {
      throw new Error('no plugin is watched here')
    },
    checkConfig: async (asked) => {
      if (options.checkConfig === undefined) throw new Error('no configuration is checked here')
      return options.checkConfig(asked)
    },
    openValidator: async () => ({
      validate: async (directory) => {
        validated.push(directory)
        if (options.validate === undefined) throw new Error('no validator')
        return options.validate(directory)
      },
      close: async () => {
        validated.push('closed')
      },
    }),
  }
  const exitCode = await runCli(words, context)
  return { exitCode, out, err, questions, validated, served }
}
