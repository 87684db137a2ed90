import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { messageOf } from '../../base/errors.js'
import { shellLimits } from '../../base/limits/gateway.js'
import type { GatewayLog } from '../pipeline.js'
import type { StageAnswer } from '../stage.js'
import { injectBase } from './base-tag.js'
import { shellPageTooLarge } from './errors.js'

interface Version {
  /** Differs between any two states of the file. */
  readonly stamp: string
  readonly html: string
  readonly etag: string
}

/**
 * The page of a shell, as its file stands, with a base at the root. While the file cannot be read, as in the middle of
 * a build, the page stays what it was.
 */
export class ShellPage {
  readonly #file: string
  readonly #log: GatewayLog
  #version: Version
  #reading: Promise<Version> | undefined
  #failure = ''

  private constructor(file: string, log: GatewayLog, version: Version) {
    this.#file = file
    this.#log = log
    this.#version = version
  }

  /** @throws `SHELL_PAGE_TOO_LARGE`, or the error of the file system. */
  static async open(file: string, log: GatewayLog): Promise<ShellPage> {
    return new ShellPage(file, log, await readVersion(file, undefined))
  }

  /**
   * The answer to a request for the page.
   *
   * @param ifNoneMatch The header of the request; undefined when it is absent.
   */
  async answer(ifNoneMatch: string | undefined): Promise<StageAnswer> {
    const { html, etag } = await this.#current()
    const headers = ['cache-control', 'no-cache', 'etag', etag, 'x-content-type-options', 'nosniff']
    if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag)) {
      return { status: 304, headers, body: undefined }
    }
    return { status: 200, headers: [...headers, 'content-type', 'text/html; charset=utf-8'], body: html }
  }

  /** Requests that come while the file is looked at share the look. */
  #current(): Promise<Version> {
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #refresh(): Promise<Version> {
    try {
      this.#version = await readVersion(this.#file, this.#version)
      this.#failure = ''
    } catch (error) {
      const failure = messageOf(error)
      if (failure !== this.#failure) {
        this.#log.warn({ file: this.#file, error: failure }, 'the page of the shell stays what it was')
      }
      this.#failure = failure
    }
    return this.#version
  }
}

async function readVersion(file: string, known: Version | undefined): Promise<Version> {
  const { mtimeMs, size, ino } = await stat(file)
  const stamp = `${mtimeMs} ${size} ${ino}`
  if (stamp === known?.stamp) return known
  const html = injectBase(await readText(file), '/')
  const etag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 27)}"`
  return { stamp, html, etag }
}

async function readText(file: string): Promise<string> {
  const limit = shellLimits.pageBytesMax
  await using handle = await open(file)
  const { size } = await handle.stat()
  if (size > limit) throw shellPageTooLarge({ file, bytes: size, limit })
  const bytes = Buffer.alloc(size)
  const { bytesRead } = await handle.read(bytes, 0, size, 0)
  return new TextDecoder().decode(bytes.subarray(0, bytesRead))
}

function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((given) => {
    const tag = given.trim().replace(/^W\//, '')
    return tag === '*' || tag === etag
  })
}
