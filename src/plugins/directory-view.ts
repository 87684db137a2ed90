import type { PluginDirectory, ServedPlugin } from './plugin-directory.js'

/**
 * Something that follows from all plugins. Made again when a plugin was started, stopped, reloaded or has got other
 * approvals, which is told from the identity of what the directory gives.
 */
export class DirectoryView<T> {
  readonly #directory: PluginDirectory
  readonly #make: (plugins: readonly ServedPlugin[]) => T
  #made: { readonly of: readonly ServedPlugin[]; readonly view: T } | undefined

  /** @param make Gets the plugins in the order in which they were started. */
  constructor(directory: PluginDirectory, make: (plugins: readonly ServedPlugin[]) => T) {
    this.#directory = directory
    this.#make = make
  }

  current(): T {
    const plugins = this.#directory.all()
    if (this.#made === undefined || !isSame(this.#made.of, plugins)) {
      this.#made = { of: plugins, view: this.#make(plugins) }
    }
    return this.#made.view
  }
}

function isSame(left: readonly ServedPlugin[], right: readonly ServedPlugin[]): boolean {
  return left === right || (left.length === right.length && left.every((each, at) => each === right[at]))
}
