import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
import { outcomeOf } from '../helpers/policy-server.js'

interface Configured {
  readonly auth: {
    readonly http: { readonly rules: readonly object[] }
    readonly policies: Readonly<Record<string, unknown>>
  }
}

it('does what the page about policies says', async (test) => {
  const page = await readFile(new URL('../../../docs/auth.md', import.meta.url), 'utf8')
  const [section = ''] = page.slice(page.indexOf('\n## Policies\n')).split(/\n## (?!Policies)/)
  const examples = [...section.matchAll(/```(json|lua)\n([\s\S]*?)\n```/g)].map(([, , text]) => text ?? '')
  const [configured = '', seed = '', lua = ''] = examples
  assert.equal(examples.length, 3)
  const { auth } = JSON.parse(configured) as Configured
  const server = await startHost(test, {
    plugins: {
      'risk/init.lua': plugin('risk', lua),
      'reports/init.lua': plugin(
        'reports',
        'http.handle("GET", "/all", function() return { json = {} } end)',
      ),
    },
    config: {
      'auth.http.rules': auth.http.rules,
      'auth.policies.policies': auth.policies.policies,
      'auth.policies.algorithm': auth.policies.algorithm,
      'auth.policies.default': auth.policies.default,
    },
  })
  const file = join(server.dataDirectory, 'policies.json')
  await writeFile(file, `[${seed}]`)
  await server.restart({
    config: {
      'auth.http.rules': auth.http.rules,
      'auth.policies.policies': auth.policies.policies,
      'auth.policies.seed.file': file,
    },
  })
  const headers = server.credentials
  const reports = '/api/v1/plugins/reports/all'
  assert.equal((await server.send('GET', reports, { headers })).status, 200, 'the admin is an owner')
  assert.equal(outcomeOf(await server.send('GET', reports)), '401 AUTH_REQUIRED')
  const effectAt = async (time: string, method = 'GET', operation = 'view') => {
    const json = {
      subject: { id: 'u1', roles: ['analyst'], claims: { dept: { country: 'DE' } } },
      resource: { path: reports },
      action: { method, operation },
      environment: { time },
    }
    const answer = await server.send('POST', '/authz/api/evaluate', { headers, json })
    return answer.json<{ effect: string }>().effect
  }
  assert.equal(await effectAt('2026-03-04T07:30:00Z'), 'permit', 'half past eight in Berlin')
  assert.equal(await effectAt('2026-03-04T06:30:00Z'), 'deny')
  assert.equal(await effectAt('2026-03-07T09:00:00Z'), 'deny', 'a Saturday')
  assert.equal(await effectAt('2026-03-04T09:00:00Z', 'POST', 'create'), 'deny')
})
