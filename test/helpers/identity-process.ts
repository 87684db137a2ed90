import { once } from 'node:events'
import { HostError } from '../../src/base/errors.js'
import { createDatabase } from '../../src/database/database.js'
import { KeyStore } from '../../src/identity/key-store.js'
import { RoleStore } from '../../src/identity/role-store.js'
import { SessionStore } from '../../src/identity/session-store.js'
import { UserStore } from '../../src/identity/user-store.js'

// A second host on the file of a test: waits until it is told to begin, then does as it is told and says how it went.
const [, , file = '', task = '', ...rest] = process.argv
const database = await createDatabase({ file, busyRetryMs: 20_000 })
const onFailure = (error: unknown) => {
  throw error
}
const users = new UserStore(database)
const roles = new RoleStore(database)
const keys = new KeyStore(database, { onFailure })
const sessions = new SessionStore(database, { ttlMs: 60_000, maxAgeMs: 60_000, perUserMax: 5, onFailure })
const outcomes: string[] = []

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  /** Makes the same users and roles as others do. */
  async names() {
    for (let number = 0; number < 20; number += 1) {
      await note(() => users.create({ username: `User${number}`, email: `user${number}@example.com` }))
      await note(() => roles.create(`role${number}`, { permissions: [] }))
    }
  },
  /** Opens sessions of one user, as others do. */
  async sessions() {
    const user = await users.get(rest[0] ?? '')
    for (let number = 0; number < 20 && user !== undefined; number += 1) {
      await note(() => sessions.open({ user, authenticator: 'x' }))
    }
  },
  /** Makes keys of one user, as others do. */
  async keys() {
    for (let number = 0; number < 60; number += 1) {
      await note(() => keys.issue({ name: 'x', createdBy: 'x', ownerId: rest[0] }))
    }
  },
}

async function note(work: () => Promise<unknown>): Promise<void> {
  try {
    outcomes.push((await work()) === undefined ? 'nothing' : 'done')
  } catch (error) {
    outcomes.push(error instanceof HostError ? error.code : String(error))
  }
}

process.send?.('ready')
await once(process, 'message')
await tasks[task]?.()
await database.close()
process.send?.(outcomes)
process.disconnect?.()
