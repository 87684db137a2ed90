import { listMetricDefinitions } from '../../src/telemetry/metric-definitions.js'
import { cell, pageHead } from './lua-page.js'

const introduction = `\`GET /metrics\` gives them in the text format of Prometheus, \`GET /api/v1/admin/metrics\` as JSON. Both need the admin
token; \`metrics.access\` in the [configuration](configuration.md) opens the first. How to set up a scrape stands in
[operating](../operating.md).

Labels are bounded. \`plugin\` is the name of a plugin that this host knows; \`(none)\` for requests whose URL names none, and
\`(other)\` beyond the number of series that are kept. Methods other than the usual ones are \`other\`, as is each label of a
plugin that makes up too many ([limits](limits.md)). The series of a plugin that is gone leave at the next reading. Times
are in seconds, those of the key-value store in milliseconds. The column "also known as" is the name that the same metric has in the design of the plugin system.

Numbers whose names begin with \`modulacms_plugin_\` are [those that plugins declare](lua/metrics.md): the name of the plugin,
\`__\`, and the name that it gave.

Numbers whose names begin with \`process_\` and \`nodejs_\` come with prom-client: processor time, memory, open files, garbage
collection, and the lag of the event loop of the HTTP thread (\`nodejs_eventloop_lag_p99_seconds\`).`

/** Makes the page of all metrics. */
export function metricsPage(): string {
  const rows = listMetricDefinitions().map(({ name, type, labels, help, seed, buckets }) => {
    const range = buckets === undefined ? '' : ` Buckets from ${buckets[0]} to ${buckets.at(-1)}.`
    const cells = [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      cell(help + range),
      seed === undefined ? '' : `\`${seed}\``,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['| metric | type | labels | | also known as |', '|---|---|---|---|---|']
  return `${[pageHead('Metrics', 'src/telemetry/metric-definitions.ts', introduction), '', ...head, ...rows].join('\n')}\n`
}
