import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('../../../helpers/rate-limit-flood.js', import.meta.url))

test('a million clients stay in the memory that the number of buckets allows', async () => {
  const bucketsMax = 50_000
  const clients = 1_000_000
  const words = ['--expose-gc', program, String(bucketsMax), String(clients)]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  const seen = JSON.parse(stdout) as Readonly<Record<string, number>>
  assert.deepEqual(
    [seen.activeBuckets, seen.totalRequests, seen.refused],
    [bucketsMax, clients, 0],
    'no client is refused for the requests of others',
  )
  const perBucket = Number(seen.after) / bucketsMax
  assert.ok(perBucket < 400, `${perBucket} bytes for each bucket after a million clients`)
  assert.ok(Number(seen.after) < Number(seen.filled) * 1.5, stdout)
})
