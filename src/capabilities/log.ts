import type { Clock } from '../base/clock.js'
import { pluginLogLimits } from '../base/limits/plugins.js'
import { LuaRaise, type LuaValue } from '../sandbox/lua-value.js'
import { phases } from '../sandbox/phase.js'
import { type Call, type Capability, defineCapability, type FunctionDefinition } from './define.js'
import { contextFields, cutText, redactedStart, textOf } from './log-context.js'
import type { PluginLogLine } from './services.js'

type Level = PluginLogLine['level']

const levels: Readonly<Record<Level, string>> = {
  debug: 'what helps to find a fault',
  info: 'what happened as it should',
  warn: 'what needs a look',
  error: 'what failed',
}

/** The module `log`, and what `print` does: the same, under the same limits. */
export interface LogCapability extends Capability {
  print(call: Call, text: string): void
}

/**
 * Creates the Lua module `log`. Each executor thread has one, which counts the lines of its plugins.
 *
 * @param now Clock of the limit on lines per second; the default is the clock of this thread.
 */
export function createLogCapability(now: Clock = () => performance.now()): LogCapability {
  const throttle = new LineThrottle(now)
  const capability = defineCapability({
    name: 'log',
    doc: [
      "Writes to the host's log, as structured lines that name the plugin and the request. Works in every phase;",
      'while only the manifest is read, nothing is written.',
    ].join('\n'),
    functions: (Object.keys(levels) as Level[]).map((level) => defineLevel(level, throttle)),
  })
  return { ...capability, print: (call, text) => void writeLine(call, 'info', throttle, text, undefined) }
}

function defineLevel(level: Level, throttle: LineThrottle): FunctionDefinition {
  return {
    name: level,
    doc: [
      `Logs ${levels[level]}.`,
      '',
      `Limits: ${pluginLogLimits.messageBytesMax} bytes a message, ${pluginLogLimits.contextKeysMax} entries of`,
      `${pluginLogLimits.contextValueBytesMax} bytes; what is beyond is cut. ${pluginLogLimits.linesPerSecondMax} lines`,
      'a second for each executor thread; further ones are dropped and counted. Raises when the message is neither',
      'text nor a number.',
    ].join('\n'),
    params: [
      { name: 'message', type: 'any', luaType: 'string|number', doc: 'What to say.' },
      {
        name: 'context',
        type: 'any',
        optional: true,
        luaType: 'table<string, any>?',
        doc: 'Facts beside the message, written as text by key; nested tables as JSON. Not a table: left out.',
      },
    ],
    returns: [],
    phases,
    cost: 0,
    mode: 'sync',
    example: `log.${level}("order received", { order = order.id, items = #order.items })`,
    handler: (call, message, context) => writeLine(call, level, throttle, message, context),
  }
}

function writeLine(
  call: Call,
  level: Level,
  throttle: LineThrottle,
  message: LuaValue,
  context: LuaValue,
): undefined {
  const text = messageText(level, message)
  if (call.phase === 'manifest') return
  const { plugin } = call.owner
  const verdict = throttle.admit(plugin)
  if (verdict.droppedBefore > 0) notify(call, `${verdict.droppedBefore} log lines were dropped`)
  if (verdict.dropStarts) {
    notify(call, `log lines are being dropped: more than ${pluginLogLimits.linesPerSecondMax} in a second`)
  }
  if (!verdict.admitted) return
  call.services.writeLog({
    plugin,
    level,
    message: cutText(
      redactedStart(call.secrets, text, pluginLogLimits.messageBytesMax),
      pluginLogLimits.messageBytesMax,
    ),
    fields: contextFields(context, call.secrets),
    requestId: call.requestId,
  })
}

function notify(call: Call, message: string): void {
  call.services.writeLog({
    plugin: call.owner.plugin,
    level: 'warn',
    message,
    fields: {},
    requestId: call.requestId,
  })
}

function messageText(level: Level, message: LuaValue): string {
  if (typeof message === 'string') return message
  if (typeof message === 'number' || typeof message === 'bigint') return String(message)
  if (message instanceof Uint8Array) return textOf(message)
  throw new LuaRaise(`log.${level}: message must be a string`)
}

interface Verdict {
  readonly admitted: boolean
  /** True for the first line that is dropped within a second. */
  readonly dropStarts: boolean
  /** Lines dropped in the last second that dropped any; told once. */
  readonly droppedBefore: number
}

interface LineWindow {
  startMs: number
  lines: number
  dropped: number
}

const admitted: Verdict = { admitted: true, dropStarts: false, droppedBefore: 0 }
const dropped: Verdict = { admitted: false, dropStarts: false, droppedBefore: 0 }
const firstDropped: Verdict = { admitted: false, dropStarts: true, droppedBefore: 0 }

/** Counts the lines of each plugin in windows of a second, so that a flood costs two notices a second at most. */
class LineThrottle {
  readonly #now: Clock
  readonly #windows = new Map<string, LineWindow>()

  constructor(now: Clock) {
    this.#now = now
  }

  admit(plugin: string): Verdict {
    const now = this.#now()
    const window = this.#windows.get(plugin)
    if (window === undefined) {
      this.#windows.set(plugin, { startMs: now, lines: 1, dropped: 0 })
      return admitted
    }
    if (now - window.startMs >= 1000) return this.#restart(window, now)
    if (window.lines < pluginLogLimits.linesPerSecondMax) {
      window.lines += 1
      return admitted
    }
    window.dropped += 1
    return window.dropped === 1 ? firstDropped : dropped
  }

  #restart(window: LineWindow, now: number): Verdict {
    const droppedBefore = window.dropped
    window.startMs = now
    window.lines = 1
    window.dropped = 0
    return droppedBefore === 0 ? admitted : { admitted: true, dropStarts: false, droppedBefore }
  }
}
