import type { RouteRequirement } from '../sdk/client/index.js'
import type { LoadConfigOptions } from '../src/config/load.js'
import type { ConfigReport } from '../src/config-check.js'
import type { TestReport } from '../src/harness/results.js'
import type { ServerCompanion } from '../src/main.js'
import type { PluginTestOptions } from '../src/plugin-tests.js'

/** What is wrong, or noteworthy, with one part of a plugin. */
export interface Finding {
  /** Part of the plugin that it is about, e.g. `plugin_info.version` or `init.lua`. */
  readonly field: string
  readonly message: string
}

/** Something that a plugin would ask for beside a route. */
export interface AskedGrant {
  readonly kind: 'hook' | 'domain' | 'core' | 'kv' | 'stage' | 'gateway' | 'auth'
  readonly key: string
  readonly description: string
}

/** What the sandbox found out about one plugin folder. */
export interface ValidationReport {
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly description?: string | undefined
  /** The plugin cannot be loaded while there are any. */
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly routes: readonly {
    readonly method: string
    readonly path: string
    readonly public: boolean
    readonly requires?: RouteRequirement
  }[]
  /** What it would ask for beside routes; none when missing. */
  readonly grants?: readonly AskedGrant[]
  /** What it would run; none when missing. */
  readonly migrations?: readonly {
    readonly version: number
    readonly description: string
    readonly reversible: boolean
  }[]
}

/** Checks plugin folders by running them in the real sandbox, without any effect. */
export interface Validator {
  validate(directory: string): Promise<ValidationReport>
  close(): Promise<void>
}

/** What `plugin test` runs. */
export type PluginTestRun = Omit<PluginTestOptions, 'environment'>

/** Flags of `serve`; what is missing comes from the environment and the configuration file. */
export interface ServerFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly data?: string
  readonly plugins?: string
}

/** The person, or the program, in front of the command. */
export interface Terminal {
  /** True when a person can be asked: standard input and standard error are terminals. */
  readonly interactive: boolean
  /** Whether text on standard output and standard error may be coloured. */
  readonly colors: boolean
  /** Writes to standard output: results only. */
  writeOut(text: string): void
  /** As `writeOut`, for results without a bound: resolves when there is room for more. */
  stream(text: string): Promise<void>
  /** Standard input, as it comes in. */
  input(): AsyncIterable<string>
  /** Writes to standard error: questions, progress and problems. */
  writeError(text: string): void
  /** Asks for one line; resolves to the empty text when the input ends. */
  ask(question: string): Promise<string>
  /** The same without showing what is typed; only where a person can be asked. */
  askSecret(question: string): Promise<string>
}

/** Everything a command touches outside itself. */
export interface CliContext {
  readonly version: string
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder with the LuaLS stubs that `init` copies. */
  readonly stubsDirectory: string
  readonly terminal: Terminal
  /** Sends the requests of online commands; the platform's `fetch` when missing. */
  readonly fetch?: typeof fetch | undefined
  /** Serves, with a companion if there is one, until it is told to stop; resolves to the exit code. */
  runServer(flags: ServerFlags, companion?: ServerCompanion): Promise<number>
  /** Checks a configuration as a start does, without starting anything. */
  checkConfig(options: LoadConfigOptions): Promise<ConfigReport>
  /** The caller closes the validator. */
  openValidator(): Promise<Validator>
  /** Runs the tests of a plugin, each in a host of its own. */
  runPluginTests(run: PluginTestRun): Promise<TestReport>
  /** Calls back at once and whenever files of a plugin have changed, until the process is interrupted; resolves then. */
  watchPlugin(directory: string, changed: () => Promise<void>): Promise<void>
}

/** A context whose command can end with another exit code than 0 without an error message. */
export interface CommandContext extends CliContext {
  setExitCode(code: number): void
}
