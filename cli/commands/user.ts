import { type Command, Option } from 'commander'
import type { Account, AccountFields } from '../../sdk/client/index.js'
import { listCell, printFields, printTable, readList } from '../accounts/account-words.js'
import { readPassword } from '../accounts/read-password.js'
import { confirm } from '../confirm.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { printable, printJson, printNote } from '../output.js'
import { finishServerCommand, printDone } from '../server-command.js'

/** Adds `user` with what can be done about users. */
export function addUserCommand(program: Command, context: CommandContext): void {
  const user = program
    .command('user')
    .summary('create, change and delete users')
    .description('Create, change and delete users of the host, by id, user name or e-mail address.')
  addList(user, context)
  addShow(user, context)
  addCreate(user, context)
  addSet(user, context)
  addPassword(user, context)
  addDelete(user, context)
  addSessions(user, context)
}

interface ListOptions extends ServerOptions {
  readonly search?: string
  readonly role?: string
  readonly tenant?: string
  readonly disabled?: boolean
  readonly cursor?: string
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand<ListOptions>({
    command: parent
      .command('list')
      .description('List users by their names.')
      .option('--search <text>', 'beginning of the name or address')
      .option('--role <name>', 'only those who have this role')
      .option('--tenant <name>', 'only those of this tenant')
      .option('--disabled', 'only those who are not let in')
      .option('--cursor <text>', 'the page that this belongs to'),
    context,
    examples: ['user list --role editor'],
    run: async (client, options) => {
      const { search, role, tenant, disabled, cursor } = options
      const answer = await client.users.list(given({ search, role, tenant, disabled, cursor }))
      printTable(context, options, {
        answer,
        heading: ['USERNAME', 'STATE', 'ROLES', 'TENANT', 'EMAIL', 'LAST LOGIN'],
        rows: answer.users.map(toRow),
        empty: 'there is no such user',
      })
      if (answer.next_cursor !== undefined) printNote(context, `more with --cursor ${answer.next_cursor}`)
    },
  })
}

function toRow({
  username,
  disabled,
  roles,
  tenant,
  email,
  last_login_at: last,
}: Account): readonly string[] {
  return [
    username,
    disabled ? 'disabled' : 'active',
    listCell(roles),
    tenant ?? '-',
    email ?? '-',
    last ?? 'never',
  ]
}

function addShow(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('show')
      .argument('<user>', 'id, user name or address')
      .description('Show a user.'),
    context,
    examples: ['user show ann'],
    run: async (client, options, [user = '']) => {
      const account = await client.users.get(user)
      if (options.json) return printJson(context, account)
      printFields(context, {
        username: account.username,
        id: account.id,
        state: account.disabled ? 'disabled' : 'active',
        name: account.name,
        email: account.email,
        roles: listCell(account.roles),
        groups: listCell(account.groups),
        tenant: account.tenant,
        claims: Object.keys(account.claims).length === 0 ? undefined : JSON.stringify(account.claims),
        password: account.has_password ? 'yes' : 'none',
        external: account.external && `${account.external.subject} at ${account.external.issuer}`,
        created: account.created_at,
        'last login': account.last_login_at ?? 'never',
      })
    },
  })
}

interface FieldOptions extends ServerOptions {
  readonly email?: string
  readonly name?: string
  readonly roles?: string
  readonly groups?: string
  readonly tenant?: string
}

function addFieldOptions(command: Command): Command {
  return command
    .option('--email <address>', 'e-mail address; empty for none')
    .option('--name <text>', 'what others call them; empty for none')
    .option('--roles <names>', 'roles, with commas between them; empty for none')
    .option('--groups <names>', 'groups, with commas between them; empty for none')
    .option('--tenant <name>', 'whose data they may see; empty for none')
}

function fieldsOf({ email, name, roles, groups, tenant }: FieldOptions): AccountFields {
  return given({
    email: orNull(email),
    name: orNull(name),
    tenant: orNull(tenant),
    roles: roles === undefined ? undefined : readList(roles),
    groups: groups === undefined ? undefined : readList(groups),
  })
}

interface CreateOptions extends FieldOptions {
  readonly password: boolean
}

function addCreate(parent: Command, context: CommandContext): void {
  finishServerCommand<CreateOptions>({
    command: addFieldOptions(
      parent
        .command('create')
        .argument('<username>', 'letters, digits, ".", "_" and "-"')
        .description('Create a user. The password is asked for, or is the first line of standard input.')
        .option('--no-password', 'let no password in'),
    ),
    context,
    examples: ['user create ann --email ann@example.com --roles editor', 'user create ann < password.txt'],
    run: async (client, options, [username = '']) => {
      const password = options.password ? await readPassword(context, printable(username)) : undefined
      const account = await client.users.create(username, { ...fieldsOf(options), ...given({ password }) })
      printDone(context, options, account, `${account.username} is ${account.id}`)
    },
  })
}

interface SetOptions extends FieldOptions {
  readonly username?: string
  readonly disabled?: boolean
  readonly enabled?: boolean
}

function addSet(parent: Command, context: CommandContext): void {
  finishServerCommand<SetOptions>({
    command: addFieldOptions(
      parent
        .command('set')
        .argument('<user>', 'id, user name or address')
        .description('Change a user; what is not named stays.')
        .option('--username <name>', 'another user name')
        .addOption(new Option('--disabled', 'let them in no more; ends all sessions and keys, for good'))
        .addOption(new Option('--enabled', 'let them in again').conflicts('disabled')),
    ),
    context,
    examples: ['user set ann --roles editor,auditor', 'user set ann --disabled'],
    run: async (client, options, [user = '']) => {
      const { username, disabled, enabled } = options
      const state = disabled === true ? true : enabled === true ? false : undefined
      const account = await client.users.update(user, {
        ...fieldsOf(options),
        ...given({ username, disabled: state }),
      })
      printDone(context, options, account, `${account.username} is changed`)
    },
  })
}

interface PasswordOptions extends ServerOptions {
  readonly none?: boolean
}

function addPassword(parent: Command, context: CommandContext): void {
  finishServerCommand<PasswordOptions>({
    command: parent
      .command('password')
      .argument('<user>', 'id, user name or address')
      .description(
        'Set the password of a user, which is asked for, or is the first line of standard input. Ends all sessions and keys of the user.',
      )
      .option('--none', 'let no password in any more'),
    context,
    examples: ['user password ann', 'user password ann < password.txt'],
    run: async (client, options, [user = '']) => {
      await client.users.setPassword(user, options.none ? null : await readPassword(context, printable(user)))
      printDone(context, options, { ok: true }, `${user} has ${options.none ? 'no' : 'another'} password`)
    },
  })
}

interface DeleteOptions extends ServerOptions {
  readonly yes?: boolean
}

function addDelete(parent: Command, context: CommandContext): void {
  finishServerCommand<DeleteOptions>({
    command: parent
      .command('delete')
      .argument('<user>', 'id, user name or address')
      .description('Delete a user with all sessions and keys.')
      .option('-y, --yes', 'do not ask'),
    context,
    examples: ['user delete ann'],
    run: async (client, options, [user = '']) => {
      const { id, username } = await client.users.get(user)
      if (!(await confirm(context, `Delete ${printable(username)}?`, options.yes === true))) {
        printNote(context, 'nothing was changed')
        return
      }
      await client.users.delete(id)
      printDone(context, options, { ok: true }, `${username} is deleted`)
    },
  })
}

interface SessionsOptions extends ServerOptions {
  readonly end?: string | true
}

function addSessions(parent: Command, context: CommandContext): void {
  finishServerCommand<SessionsOptions>({
    command: parent
      .command('sessions')
      .argument('<user>', 'id, user name or address')
      .description('List the sessions of a user, or end them.')
      .option('--end [id]', 'end this one; all without an id'),
    context,
    examples: ['user sessions ann', 'user sessions ann --end'],
    run: async (client, options, [user = '']) => {
      const { end } = options
      if (end !== undefined) {
        const ended = await client.users.endSessions(user, end === true ? undefined : end)
        printDone(context, options, { ok: true, ended }, `${ended} sessions of ${user} are ended`)
        return
      }
      const sessions = await client.users.sessions(user)
      printTable(context, options, {
        answer: { sessions },
        heading: ['ID', 'SIGNED IN', 'LAST USED', 'ENDS', 'ADDRESS', 'BROWSER'],
        rows: sessions.map((each) => [
          each.id,
          each.created_at,
          each.last_used_at,
          each.expires_at,
          each.ip ?? '-',
          each.user_agent ?? '-',
        ]),
        empty: 'they have no session',
      })
    },
  })
}

function orNull(text: string | undefined): string | null | undefined {
  return text === '' ? null : text
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}
