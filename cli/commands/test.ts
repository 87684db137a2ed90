import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { HostError } from '../../src/base/errors.js'
import type { TestReport } from '../../src/harness/results.js'
import { findNameProblem } from '../../src/plugins/plugin-name.js'
import { CliError } from '../cli-error.js'
import type { CommandContext, PluginTestRun } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { reportFailure } from '../failures.js'
import { paint, printable, printJson, printLine, printNote } from '../output.js'
import { loadSettings } from '../settings.js'
import { jsonReport } from '../test-report/json.js'
import { junitReport } from '../test-report/junit.js'
import { lcovReport } from '../test-report/lcov.js'
import { coverageTable, fileLines, summaryLine } from '../test-report/text.js'

interface TestOptions {
  readonly config?: string
  readonly plugins?: string
  readonly filter: string
  readonly json?: boolean
  readonly junit?: string
  readonly timeout: number
  readonly watch?: boolean
  readonly coverage?: string | true
}

const secondsMax = 300

const help = `
PATH is a plugin folder, or the name of one in the plugin directory. Each global function test_* of its files
test/*.test.lua is one test. It runs in the sandbox, with a database of its own, everything approved and no network;
the plugin_* limits of the configuration hold. No server is needed.
Exit code 0 when all tests passed, 1 when one failed, 2 when they could not be run.

Example:
  $ modulacms plugin test plugins/task_tracker --filter paging`

/** Adds `plugin test`. */
export function addTestCommand(parent: Command, context: CommandContext): void {
  parent
    .command('test')
    .argument('<path>', 'plugin folder')
    .summary('run the tests of a plugin (offline)')
    .description('Run the tests of a plugin in the real sandbox.')
    .option('--filter <text>', 'run only tests with this text in their names', '')
    .option('--timeout <seconds>', 'time for each test', readSeconds, 5)
    .option('--json', 'print one object for each test as JSON')
    .option('--junit <file>', 'write a JUnit XML report')
    .option('--coverage [file]', 'show which lines ran; with a file, write it as lcov, too')
    .option('--watch', 'run again whenever a Lua file of the plugin changes; Ctrl-C ends it')
    .option('--config <file>', 'configuration file (default: ./config.json)')
    .option('--plugins <dir>', 'plugin directory')
    .addHelpText('after', help)
    .action((path: string, options: TestOptions) => test(context, path, options))
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= secondsMax) return seconds
  throw new InvalidArgumentError(`It must be a number above 0, at most ${secondsMax}.`)
}

async function test(context: CommandContext, path: string, options: TestOptions): Promise<void> {
  const directory = findFolder(context, path, options)
  if (options.watch !== true) return runOnce(context, directory, options)
  await context.watchPlugin(directory, () => runWatched(context, directory, options))
}

/** A run that fails as a whole is told and waits for the next change like any other. */
async function runWatched(context: CommandContext, directory: string, options: TestOptions): Promise<void> {
  try {
    await runOnce(context, directory, options)
  } catch (thrown) {
    context.setExitCode(reportFailure(context, thrown, options.json === true))
  }
  printNote(context, `\nwaiting for changes in ${printable(directory)}`)
}

async function runOnce(context: CommandContext, directory: string, options: TestOptions): Promise<void> {
  const report = await run(context, directory, options)
  const { coverage } = report
  if (options.json === true) printJson(context, jsonReport(report))
  else {
    printLine(context, `\n${summaryLine(context, report)}`)
    if (coverage !== undefined) printLine(context, `\n${coverageTable(coverage)}`)
  }
  const outputs = [
    { file: options.junit, text: () => junitReport(report) },
    {
      file: typeof options.coverage === 'string' ? options.coverage : undefined,
      text: () => lcovReport(directory, coverage ?? []),
    },
  ]
  for (const { file, text } of outputs) if (file !== undefined) await writeReport(context, file, text())
  const isGreen = report.files.every(({ tests }) => tests.every(({ passed }) => passed))
  context.setExitCode(isGreen ? exitCodes.success : exitCodes.failure)
}

async function run(context: CommandContext, directory: string, options: TestOptions): Promise<TestReport> {
  const progress: Pick<PluginTestRun, 'started' | 'fileDone'> = {
    started: (name) => printLine(context, paint(context, 'bold', `${printable(name)} plugin tests`)),
    fileDone: (result) => {
      for (const line of fileLines(context, result)) printLine(context, line)
    },
  }
  try {
    return await context.runPluginTests({
      directory,
      filter: options.filter,
      timeoutMs: options.timeout * 1000,
      coverage: options.coverage !== undefined,
      configFile: resolve(context.workingDirectory, options.config ?? 'config.json'),
      ...(options.json === true ? {} : progress),
    })
  } catch (thrown) {
    if (!(thrown instanceof HostError)) throw thrown
    throw new CliError(exitCodes.usage, thrown.code, thrown.message)
  }
}

async function writeReport(context: CommandContext, file: string, text: string): Promise<void> {
  const path = resolve(context.workingDirectory, file)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function findFolder(context: CommandContext, path: string, options: TestOptions): string {
  const direct = resolve(context.workingDirectory, path)
  if (existsSync(direct)) return direct
  if (findNameProblem(path) === undefined) {
    const inPlugins = join(loadSettings(context, options).pluginDirectory, path)
    if (existsSync(inPlugins)) return inPlugins
  }
  throw new CliError(exitCodes.usage, 'FOLDER_NOT_FOUND', `there is no folder ${direct}`)
}
