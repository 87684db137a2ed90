import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '../../src/database/database.js'
import { openSqlite } from '../../src/database/sqlite.js'
import { CommitSignal } from '../../src/kv/commit-signal.js'
import { createKv, type KvService, type KvServiceOptions } from '../../src/kv/service/kv-service.js'

/** A store of its own on a file of its own. */
export interface KvFixture {
  readonly service: KvService
  readonly file: string
  readonly signal: CommitSignal
  /** What keeps the process up. */
  readonly stayAlive: NodeJS.Timeout
  close(): Promise<void>
}

/** Opens a store as a host does. */
export async function openKvFixture(options: Partial<KvServiceOptions> = {}): Promise<KvFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'modulacms-kv-'))
  const file = join(folder, 'test.db')
  const database = await createDatabase({ file })
  const signal = new CommitSignal()
  const errors: unknown[] = []
  // Keeps the process up as a server does: neither watches nor sweeps do.
  const stayAlive = setInterval(() => {}, 60_000)
  const service = createKv({
    connection: openSqlite({ file, busyTimeoutMs: 0, mustExist: true }),
    signal,
    namespaceBytes: 64 * 1024 * 1024,
    sweepIntervalMs: 50,
    onSweepError: (error) => errors.push(error),
    ...options,
  })
  return {
    service,
    file,
    signal,
    stayAlive,
    close: async () => {
      clearInterval(stayAlive)
      await service.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
      if (errors.length > 0) throw new AggregateError(errors, 'sweeps failed')
    },
  }
}
