import { realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HostError, messageOf } from '../../base/errors.js'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import type { StageAnswer } from '../stage.js'
import { shellDirInvalid } from './errors.js'
import { findFile, sendFile } from './shell-files.js'
import { ShellPage } from './shell-page.js'

const pageName = 'index.html'

/** The build of one shell: its page, and the files beside it. */
export class ShellSite {
  /** As it was configured. */
  readonly dir: string
  readonly #root: string
  readonly #page: ShellPage

  private constructor(dir: string, root: string, page: ShellPage) {
    this.dir = dir
    this.#root = root
    this.#page = page
  }

  /**
   * Opens a directory with `dist/index.html`, else with `index.html`; what is beside that file is public.
   *
   * @throws `SHELL_DIR_INVALID` naming the directory and what is wrong with it.
   */
  static async open(dir: string, log: GatewayLog): Promise<ShellSite> {
    try {
      const root = await findRoot(resolve(dir))
      return new ShellSite(dir, root, await ShellPage.open(join(root, pageName), log))
    } catch (error) {
      if (error instanceof HostError && error.code === 'SHELL_DIR_INVALID') throw error
      throw shellDirInvalid({ dir, problem: messageOf(error).replace(/\.$/, '') }, { cause: error })
    }
  }

  /** The answer with the page. */
  page(exchange: Exchange): Promise<StageAnswer> {
    return this.#page.answer(exchange.header('if-none-match'))
  }

  /** The answer with the file that the path names; undefined when the build does not contain it. */
  async file(exchange: Exchange): Promise<StageAnswer | undefined> {
    const place = await findFile(this.#root, exchange.path)
    if (place === undefined) return undefined
    if (place.length === 1 && place[0] === pageName) return this.page(exchange)
    return sendFile(this.#root, place, exchange.request.raw)
  }
}

async function findRoot(dir: string): Promise<string> {
  if (!(await isKind(dir, 'isDirectory'))) {
    throw shellDirInvalid({ dir, problem: 'there is no such directory' })
  }
  for (const root of [join(dir, 'dist'), dir]) {
    if (await isKind(join(root, pageName), 'isFile')) return root
  }
  throw shellDirInvalid({ dir, problem: 'it has neither dist/index.html nor index.html' })
}

async function isKind(path: string, kind: 'isFile' | 'isDirectory'): Promise<boolean> {
  try {
    return (await stat(await realpath(path)))[kind]()
  } catch {
    return false
  }
}
