import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { loadConfig } from '../../src/config/load.js'
import { createHost, type Host } from '../../src/host.js'
import { createLogger } from '../../src/telemetry/logger.js'
import type { Attack, Outcome } from '../attack/corpus.js'

/** How a request ended. */
interface Answer {
  readonly status: number
  readonly text: string
  readonly elapsedMs: number
}

const bystander = `plugin_info = { name = "bystander", version = "1.0.0", description = "Answers while others attack." }
http.handle("GET", "/ping", function() return { json = { ok = true } } end, { public = true })`

const bystanderPauseMs = 10

/** Each try waits 100 ms for a VM. */
const retriesMax = 30

/** Another plugin answers within this while an attack runs. */
const bystanderMsMax = 100

/** An attack that slows its neighbours does so each time; a machine that is busy with something else does not. */
const attemptsMax = 3

/** Tells that the well-behaved plugin answered too late beside an attack. */
class SlowBystander extends Error {}

export interface AttackHostOptions {
  /** False proves that the hard stop alone holds. */
  readonly softLimits: boolean
  /** Time of one call; 1000 ms when missing. */
  readonly callMs?: number
}

/** A real host with one well-behaved plugin, into which one attack after the other is loaded. */
export class AttackHost {
  readonly #host: Host
  readonly #url: string
  readonly #folder: string
  #count = 0

  private constructor(host: Host, url: string, folder: string) {
    this.#host = host
    this.#url = url
    this.#folder = folder
  }

  static async start({ softLimits, callMs = 1000 }: AttackHostOptions): Promise<AttackHost> {
    const folder = mkdtempSync(join(tmpdir(), 'modulacms-attack-'))
    writePlugin(join(folder, 'plugins', 'bystander'), bystander)
    const { config } = loadConfig({
      environment: {},
      flags: {
        plugin_enabled: true,
        plugin_directory: join(folder, 'plugins'),
        data_directory: join(folder, 'data'),
        plugin_timeout: 1,
        plugin_max_vms: 3,
        plugin_max_instructions: 8_000_000,
        plugin_rate_limit: 1_000_000,
        plugin_request_rate_limit: 0,
        plugin_request_global_rate: 0,
        plugin_request_cb_failures: 1000,
      },
    })
    const silence = new Writable({ write: (_chunk, _encoding, done) => done() })
    const log = createLogger({ ...config.log, destination: silence })
    // The worst case: an operator who has approved every domain.
    const outbound = { isApproved: () => true }
    const host = await createHost({
      config,
      log,
      softLimits,
      outbound,
      callMs,
    })
    const url = await host.app.listen({ host: '127.0.0.1', port: 0 })
    const runner = new AttackHost(host, url, folder)
    await runner.#approve('bystander')
    return runner
  }

  async close(): Promise<void> {
    await this.#host.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Loads an attack, runs it and judges what became of it, of its neighbour and of the next call. */
  async run(attack: Attack, expected: Outcome): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(attack, expected)
      } catch (error) {
        if (!(error instanceof SlowBystander) || attempt === attemptsMax) throw error
      }
    }
  }

  async #attempt(attack: Attack, expected: Outcome): Promise<void> {
    this.#count += 1
    const name = `attack_${this.#count}`
    const folder = join(this.#folder, 'plugins', name)
    const info = `plugin_info = { name = "${name}", version = "1.0.0", description = "An attack." } `
    writePlugin(folder, info + attack.source)
    try {
      const problem = await this.#besideBystander(() => this.#load(name))
      if (expected.kind === 'load-failed') {
        assert.notEqual(problem, undefined, 'the plugin was loaded')
        assert.equal(this.#host.plugins.get(name)?.state, 'failed')
        return
      }
      if (problem !== undefined && expected.kind === 'contained') return
      assert.equal(problem, undefined, 'the plugin was not loaded')
      await this.#approve(name)
      const { method, body } = attack.request
      judge(expected, await this.#besideBystander(() => this.#persist(name, 'attack', method, body)))
      if (attack.hasAfter) await this.#checkNextCall(name)
    } finally {
      await this.#host.plugins.disable(name, 'test').catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    }
  }

  async #load(name: string): Promise<string | undefined> {
    try {
      await this.#host.plugins.reload(name, 'test')
      return undefined
    } catch (error) {
      return String(error)
    }
  }

  /** Asks the well-behaved plugin again and again while something runs: it never fails, and answers in time. */
  async #besideBystander<T>(act: () => Promise<T>): Promise<T> {
    let running = true
    const acting = act().finally(() => {
      running = false
    })
    let fastestMs = Number.POSITIVE_INFINITY
    do {
      const answer = await this.#request('bystander', 'ping', 'GET', undefined)
      // On a machine whose cores are all taken a call can wait too long for a VM, and is told so.
      assert.ok([200, 503].includes(answer.status), `the bystander answered ${answer.status} ${answer.text}`)
      if (answer.status === 200) fastestMs = Math.min(fastestMs, answer.elapsedMs)
      // Asked at the pace of a visitor: a flood of questions would be an attack of its own.
      await Promise.race([setTimeout(bystanderPauseMs), acting])
    } while (running || fastestMs === Number.POSITIVE_INFINITY)
    const result = await acting
    if (fastestMs >= bystanderMsMax) throw new SlowBystander(`the bystander needed ${fastestMs} ms at best`)
    return result
  }

  async #checkNextCall(name: string): Promise<void> {
    const after = await this.#persist(name, 'after', 'GET', undefined)
    assert.equal(after.status, 200, `the next call answered ${after.status} ${after.text}`)
    assert.deepEqual(JSON.parse(after.text), { clean: true }, 'something leaked into the next call')
  }

  /** Asks again while no VM is free, e.g. because the plugin waits for an executor of its own after a hard stop. */
  async #persist(plugin: string, path: string, method: string, body: string | undefined): Promise<Answer> {
    let answer = await this.#request(plugin, path, method, body)
    for (let tries = 0; answer.text.includes('POOL_EXHAUSTED') && tries < retriesMax; tries += 1) {
      answer = await this.#request(plugin, path, method, body)
    }
    return answer
  }

  async #approve(plugin: string): Promise<void> {
    const routes = this.#host.plugins.routes().filter((route) => route.plugin === plugin)
    const stages = this.#host.plugins.asked.stages().filter(({ plugin_name }) => plugin_name === plugin)
    const grants = stages.map(({ stage }) => ({ plugin, kind: 'stage' as const, key: stage }))
    const { errors } = await this.#host.plugins.approveRoutes(routes, 'test')
    const refused = await this.#host.plugins.approveGrants(grants, 'test')
    assert.deepEqual([...errors, ...refused.errors], [])
  }

  async #request(plugin: string, path: string, method: string, body: string | undefined): Promise<Answer> {
    const started = performance.now()
    const response = await fetch(`${this.#url}/api/v1/plugins/${plugin}/${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    return { status: response.status, text, elapsedMs: performance.now() - started }
  }
}

function writePlugin(folder: string, source: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'init.lua'), source)
}

function judge(expected: Outcome, { status, text }: Answer): void {
  const shown = `${status} ${text.slice(0, 500)}`
  switch (expected.kind) {
    case 'refused':
      assert.equal(status, 200, shown)
      assert.equal((JSON.parse(text) as { refused?: unknown }).refused, true, shown)
      break
    case 'error':
      assert.equal(status, 500, shown)
      break
    case 'stopped':
      assert.ok(status === 504 || status === 500, shown)
      break
    case 'json':
      assert.equal(status, 200, shown)
      assert.deepEqual(JSON.parse(text), JSON.parse(expected.body))
      break
    default:
      assert.ok([200, 500, 504].includes(status), shown)
  }
}
