import type { Selectable, Transaction } from 'kysely'
import type { AuthUsersTable } from '../database/identity-tables.js'
import type { CoreTables } from '../database/tables.js'
import { userNotFound } from './errors.js'

/**
 * Ends all sessions and keys of a user, also those that are being made by somebody who was let in just before.
 *
 * @throws `USER_NOT_FOUND`
 */
export async function endCredentials(
  transaction: Transaction<CoreTables>,
  userId: string,
  now: number,
): Promise<Selectable<AuthUsersTable>> {
  const row = await transaction
    .updateTable('auth_users')
    .set((expression) => ({ credentials_version: expression('credentials_version', '+', 1) }))
    .where('id', '=', userId)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw userNotFound({ id: userId })
  await transaction.deleteFrom('auth_sessions').where('user_id', '=', userId).execute()
  await transaction
    .updateTable('auth_keys')
    .set({ revoked_at: now })
    .where('owner_id', '=', userId)
    .where('revoked_at', 'is', null)
    .execute()
  return row
}
