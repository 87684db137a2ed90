import { resolve } from 'node:path'
import { databaseUrlInvalid } from './errors.js'

/** Where the data lies. */
export interface DatabaseLocation {
  readonly dialect: 'sqlite'
  /** Absolute path of the database file. */
  readonly file: string
}

/**
 * Reads a `database_url`: `sqlite:./data/modula.db`, `sqlite:/var/lib/modula.db` or `sqlite:///var/lib/modula.db`.
 * The path is taken as it is: no percent encoding, no `?options`.
 *
 * @param url Text of the configuration key.
 * @param baseDirectory Folder that a relative path starts at; the working directory when missing.
 * @throws `DATABASE_URL_INVALID` for anything else, also for memory databases, which threads cannot share.
 */
export function parseDatabaseUrl(url: string, baseDirectory: string = process.cwd()): DatabaseLocation {
  const colon = url.indexOf(':')
  const scheme = colon < 0 ? '' : url.slice(0, colon).toLowerCase()
  if (scheme === 'postgres' || scheme === 'postgresql') {
    throw databaseUrlInvalid({ problem: 'PostgreSQL is not yet supported by this version, SQLite is' })
  }
  if (scheme !== 'sqlite') {
    throw databaseUrlInvalid({ problem: 'it does not start with "sqlite:", the only scheme of this version' })
  }
  // An absolute path also keeps SQLite from reading a name that starts with "file:" as a URI with options.
  return { dialect: 'sqlite', file: resolve(baseDirectory, checkedPath(url.slice(colon + 1).trim())) }
}

function checkedPath(path: string): string {
  const problem = problemOf(path)
  if (problem !== undefined) throw databaseUrlInvalid({ problem })
  return path.startsWith('///') ? path.slice(2) : path
}

function problemOf(path: string): string | undefined {
  if (path === '') return 'there is no file path after "sqlite:"'
  if (path.includes(':memory:')) {
    return 'a memory database cannot be shared between the threads of the host, which need a file'
  }
  if (path.startsWith('//') && !path.startsWith('///')) {
    return 'the part between "//" and the next "/" would be a machine name, and SQLite opens local files only'
  }
  if (/[?#]/.test(path)) return 'options after "?" or "#" are not supported'
  if (path.includes('\0')) return 'the path holds a zero byte'
  if (/[/\\]$/.test(path) || /(?:^|[/\\])\.{1,2}$/.test(path)) return 'the path names a folder, not a file'
  return undefined
}
