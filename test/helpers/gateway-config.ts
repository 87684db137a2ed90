import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostError } from '../../src/base/errors.js'
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../src/config/load.js'
import type { ConfigProblem } from '../../src/config/problems.js'
import type { Config } from '../../src/config/schema.js'

/** Loads a `config.json` whose object `gateway` has the given members. */
export function loadGateway(gateway: unknown, options: Partial<LoadConfigOptions> = {}): LoadedConfig {
  const directory = mkdtempSync(join(tmpdir(), 'modulacms-gateway-config-'))
  const file = join(directory, 'config.json')
  try {
    writeFileSync(file, JSON.stringify({ gateway }, null, 2))
    return loadConfig({ environment: {}, file, ...options })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The section of the gateway that comes of these variables alone. */
export function gatewayOf(environment: Record<string, string>): Config['gateway'] {
  return loadConfig({ environment }).config.gateway
}

/** What is wrong with a configuration; asserts that it is refused. */
export function problemsOf(run: () => unknown): readonly ConfigProblem[] {
  try {
    run()
  } catch (thrown) {
    const error = thrown as HostError
    assert.equal(error.code, 'CONFIG_INVALID', String(error.stack))
    return error.details?.problems as readonly ConfigProblem[]
  }
  assert.fail('the configuration was accepted')
}

/** The only thing that is wrong with a configuration. */
export function soleProblem(run: () => unknown): ConfigProblem {
  const problems = problemsOf(run)
  assert.equal(problems.length, 1, JSON.stringify(problems))
  return problems[0] as ConfigProblem
}
