import { type Kysely, type Migration, sql } from 'kysely'

/** Users, the roles that admins define, API keys and sessions. */
export const createIdentityTables: Migration = {
  async up(db: Kysely<unknown>) {
    await createUsers(db)
    await createRoles(db)
    await createKeys(db)
    await createSessions(db)
  },
}

async function createUsers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('auth_users')
    .addColumn('id', 'text', (col) => col.primaryKey())
    .addColumn('username', 'text', (col) => col.notNull())
    .addColumn('username_key', 'text', (col) => col.notNull().unique())
    .addColumn('email', 'text')
    .addColumn('email_key', 'text', (col) => col.unique())
    .addColumn('name', 'text')
    .addColumn('password_hash', 'text')
    .addColumn('credentials_version', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('roles', 'text', (col) => col.notNull().defaultTo('[]'))
    .addColumn('groups', 'text', (col) => col.notNull().defaultTo('[]'))
    .addColumn('tenant', 'text')
    .addColumn('claims', 'text', (col) => col.notNull().defaultTo('{}'))
    .addColumn('disabled', 'integer', (col) => col.notNull().defaultTo(0))
    .addColumn('issuer', 'text')
    .addColumn('subject', 'text')
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addColumn('updated_at', 'integer', (col) => col.notNull())
    .addColumn('last_login_at', 'integer')
    .addUniqueConstraint('auth_users_external', ['issuer', 'subject'])
    .addCheckConstraint('auth_users_disabled', sql`disabled in (0, 1)`)
    .addCheckConstraint('auth_users_email', sql`(email is null) = (email_key is null)`)
    // SQLite takes rows with a null for different ones, so that half of a pair would not be unique.
    .addCheckConstraint('auth_users_subject', sql`(issuer is null) = (subject is null)`)
    .modifyEnd(sql`strict`)
    .execute()
}

async function createRoles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('auth_roles')
    .addColumn('name', 'text', (col) => col.primaryKey())
    .addColumn('description', 'text', (col) => col.notNull().defaultTo(''))
    .addColumn('permissions', 'text', (col) => col.notNull())
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addColumn('updated_at', 'integer', (col) => col.notNull())
    .modifyEnd(sql`strict`)
    .execute()
}

async function createKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('auth_keys')
    .addColumn('id', 'text', (col) => col.primaryKey())
    .addColumn('digest', 'blob', (col) => col.notNull())
    .addColumn('name', 'text', (col) => col.notNull())
    .addColumn('kind', 'text', (col) => col.notNull())
    .addColumn('owner_id', 'text', (col) => col.references('auth_users.id').onDelete('cascade'))
    .addColumn('roles', 'text', (col) => col.notNull().defaultTo('[]'))
    .addColumn('permissions', 'text', (col) => col.notNull().defaultTo('[]'))
    .addColumn('tenant', 'text')
    .addColumn('created_by', 'text', (col) => col.notNull())
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addColumn('expires_at', 'integer')
    .addColumn('revoked_at', 'integer')
    .addColumn('last_used_at', 'integer')
    .addCheckConstraint('auth_keys_kind', sql`kind in ('key', 'service')`)
    .addCheckConstraint('auth_keys_digest', sql`length(digest) = 32`)
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('auth_keys_by_owner')
    .on('auth_keys')
    .columns(['owner_id', 'revoked_at'])
    .execute()
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('auth_sessions')
    .addColumn('id', 'text', (col) => col.primaryKey())
    .addColumn('digest', 'blob', (col) => col.notNull().unique())
    .addColumn('user_id', 'text', (col) => col.notNull().references('auth_users.id').onDelete('cascade'))
    .addColumn('authenticator', 'text', (col) => col.notNull())
    .addColumn('ip', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('created_at', 'integer', (col) => col.notNull())
    .addColumn('last_used_at', 'integer', (col) => col.notNull())
    .addCheckConstraint('auth_sessions_digest', sql`length(digest) = 32`)
    .modifyEnd(sql`strict`)
    .execute()
  await db.schema
    .createIndex('auth_sessions_by_user')
    .on('auth_sessions')
    .columns(['user_id', 'last_used_at'])
    .execute()
  await db.schema.createIndex('auth_sessions_by_use').on('auth_sessions').column('last_used_at').execute()
  await db.schema.createIndex('auth_sessions_by_age').on('auth_sessions').column('created_at').execute()
}
