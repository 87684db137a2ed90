import type { FileResult, TestReport, TestResult } from '../../src/harness/results.js'

/** Writes the report as JUnit XML: a suite for each file, as build servers read it. */
export function junitReport({ plugin, files, durationMs }: TestReport): string {
  const tests = files.flatMap((file) => file.tests)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: plugin, ...counts(tests), time: seconds(durationMs) })}>`,
    ...files.flatMap((file) => suite(plugin, file)),
    '</testsuites>',
    '',
  ].join('\n')
}

function suite(plugin: string, { file, tests }: FileResult): readonly string[] {
  const time = seconds(tests.reduce((sum, { durationMs }) => sum + durationMs, 0))
  return [
    `  <testsuite ${attributes({ name: file, ...counts(tests), time })}>`,
    ...tests.flatMap((test) => testCase(plugin, test)),
    '  </testsuite>',
  ]
}

function testCase(plugin: string, { file, test, durationMs, failures, log }: TestResult): readonly string[] {
  const head = attributes({ classname: `${plugin}.${file}`, name: test, file, time: seconds(durationMs) })
  if (failures.length === 0) return [`    <testcase ${head}/>`]
  const elements = failures.map(({ message, line, error }) => {
    const name = error === true ? 'error' : 'failure'
    const [first = ''] = message.split('\n')
    const type = attributes({ message: first, type: name })
    return `      <${name} ${type}>${xmlText(`${file}:${line}: ${message}`)}</${name}>`
  })
  const output = log.length === 0 ? [] : [`      <system-err>${xmlText(log.join('\n'))}</system-err>`]
  return [`    <testcase ${head}>`, ...elements, ...output, '    </testcase>']
}

function counts(tests: readonly TestResult[]): Readonly<Record<string, number>> {
  const failed = tests.filter(({ passed }) => !passed)
  const errors = failed.filter(({ failures }) => failures.some(({ error }) => error === true)).length
  return { tests: tests.length, failures: failed.length - errors, errors }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${xmlText(String(value)).replaceAll('\n', '&#10;')}"`)
    .join(' ')
}

/** Characters that XML 1.0 cannot hold in any form are among these; tabs, line breaks and C1 controls are fine. */
const suspects = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function xmlText(text: string): string {
  return text
    .replace(suspects, (character) => (/[\t\n\r\u0080-\u009f]/.test(character) ? character : '\ufffd'))
    .replace(/[&<>"]/g, (character) => entities[character] ?? '')
}
