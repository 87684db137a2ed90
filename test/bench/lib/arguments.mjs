import { parseArgs } from 'node:util'

const usage = `Usage: npm run bench -- [options]

  --seconds N    length of one measurement (default 5)
  --rounds N     measurements of each side, alternating; medians are compared (default 3)
  --minutes N    length of the row siege (default 10), which runs only with --only siege
  --millions N   entries of the row kv-large (default 10), which runs only with --only kv-large
  --only ROW     only this row; may be given more than once
  --json FILE    also writes everything measured to FILE
  --list         prints the names of the rows and ends
`

/**
 * Reads the command line.
 *
 * @param longRowNames Rows that are left out unless they are named.
 * @returns The options, or the text to print instead of running.
 * @throws Error naming the option that makes no sense.
 */
export function readArguments(argv, rowNames, longRowNames) {
  const { values } = parseArgs({
    args: argv,
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '10' },
      millions: { type: 'string', default: '10' },
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return { print: usage }
  if (values.list) return { print: `${rowNames.join('\n')}\n` }
  const only = values.only ?? rowNames.filter((name) => !longRowNames.includes(name))
  const unknown = only.filter((name) => !rowNames.includes(name))
  if (unknown.length > 0) throw new Error(`unknown row ${unknown.join(', ')}; rows: ${rowNames.join(', ')}`)
  return {
    seconds: positiveInteger('--seconds', values.seconds),
    rounds: positiveInteger('--rounds', values.rounds),
    minutes: positiveInteger('--minutes', values.minutes),
    millions: positiveInteger('--millions', values.millions),
    only,
    jsonFile: values.json,
  }
}

function positiveInteger(name, text) {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${name} takes a whole number from 1, not "${text}"`)
  return number
}
