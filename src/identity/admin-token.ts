import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { HostError, messageOf } from '../base/errors.js'
import { identityLimits } from '../base/limits/identity.js'
import { adminTokenFileFailed, adminTokenFileRefused, adminTokenInvalid } from './errors.js'

/** Where the token comes from. */
export interface AdminTokenOptions {
  /** Folder of the file `admin-token`; created for this user only when absent. Not touched if the environment has a token. */
  readonly dataDirectory: string
  /** Value of MODULACMS_ADMIN_TOKEN; undefined when it is not set. An empty one is an error, not a missing one. */
  readonly environmentToken?: string | undefined
}

/** The secret that admins send. Never log it. */
export interface AdminToken {
  readonly token: string
  readonly source: 'environment' | 'file'
  /** Absolute path of the file; undefined when the token is from the environment. */
  readonly file: string | undefined
  /** True when the file was made by this call. */
  readonly created: boolean
}

const fileShape = /^([A-Za-z0-9_-]{43})\n?$/
/** More than the shape has, so that a longer file shows. */
const fileBytesRead = 64

/**
 * Gives the admin token: that of the environment, else the one of the file, which is made at the first start.
 *
 * @throws `ADMIN_TOKEN_INVALID` for an unfit environment token; `ADMIN_TOKEN_FILE_REFUSED` for a file that is a
 * symbolic link, no regular file, of another shape, or that others can read and this user cannot change;
 * `ADMIN_TOKEN_FILE_FAILED` when it can be neither read nor made.
 */
export function loadAdminToken({ dataDirectory, environmentToken }: AdminTokenOptions): AdminToken {
  if (environmentToken !== undefined) {
    return { token: checked(environmentToken), source: 'environment', file: undefined, created: false }
  }
  const file = resolve(dataDirectory, 'admin-token')
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
    const created = createTokenFile(dataDirectory, file)
    return { token: readTokenFile(file), source: 'file', file, created }
  } catch (error) {
    if (error instanceof HostError) throw error
    throw adminTokenFileFailed({ file, reason: messageOf(error) }, { cause: error })
  }
}

function checked(token: string): string {
  const { adminTokenLengthMin: min, bearerTokenLengthMax: max } = identityLimits
  const refuse = (problem: string) => adminTokenInvalid({ problem, min, max })
  if (token.length < min || token.length > max) throw refuse(`has ${token.length} characters`)
  if (!/^[\x21-\x7e]+$/.test(token)) throw refuse('holds a character that a header cannot carry')
  return token
}

/**
 * Writes a token beside the file and links it into place, so that the file is whole from the moment it exists and
 * one of two hosts that start at once wins.
 *
 * @returns False when the file exists; whatever it is, it is left alone.
 */
function createTokenFile(directory: string, file: string): boolean {
  if (exists(file)) return false
  const draft = join(directory, `.admin-token-${randomBytes(8).toString('hex')}`)
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(32).toString('base64url')}\n`)
    fsyncSync(descriptor)
    return place(draft, file)
  } finally {
    closeSync(descriptor)
    rmSync(draft, { force: true })
  }
}

function place(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
  }
  // Some file systems have no hard links; a copy takes over the mode and refuses an existing file as well.
  try {
    copyFileSync(draft, file, constants.COPYFILE_EXCL)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function readTokenFile(file: string): string {
  const descriptor = openTokenFile(file)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw adminTokenFileRefused({ file, reason: 'it is not a regular file' })
    const buffer = Buffer.alloc(fileBytesRead)
    const text = buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, fileBytesRead, 0))
    const token = fileShape.exec(text)?.[1]
    if (token === undefined) {
      throw adminTokenFileRefused({ file, reason: 'its content is not a token of 43 base64url characters' })
    }
    if ((stat.mode & 0o777) !== 0o600) makePrivate(descriptor, file)
    return token
  } finally {
    closeSync(descriptor)
  }
}

function openTokenFile(file: string): number {
  try {
    return openNoFollow(file)
  } catch (error) {
    if (codeOf(error) !== 'ELOOP') throw error
    throw adminTokenFileRefused({ file, reason: 'it is a symbolic link' }, { cause: error })
  }
}

function makePrivate(descriptor: number, file: string): void {
  // Windows has no such modes and reports others than were set.
  if (process.platform === 'win32') return
  try {
    fchmodSync(descriptor, 0o600)
  } catch (error) {
    const reason = 'others can read it and this user cannot change that'
    throw adminTokenFileRefused({ file, reason }, { cause: error })
  }
}

/** Opens without following a link, and without waiting for the writer of a named pipe. */
function openNoFollow(file: string): number {
  // Windows lacks both flags; there the constants are undefined.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  return openSync(file, flags)
}

function exists(file: string): boolean {
  try {
    closeSync(openNoFollow(file))
    return true
  } catch (error) {
    return codeOf(error) !== 'ENOENT'
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
