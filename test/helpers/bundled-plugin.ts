import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const bundled = fileURLToPath(new URL('../../../plugins', import.meta.url))

/** What the host loads of a plugin that comes along, as `TestHostOptions.plugins` takes it. */
export function bundledPlugin(name: string): Record<string, string> {
  const files: Record<string, string> = {}
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory)) {
      const path = join(directory, entry)
      if (statSync(path).isDirectory()) walk(path)
      else if (/\.(lua|sql)$/.test(entry)) files[relative(bundled, path)] = readFileSync(path, 'utf8')
    }
  }
  walk(join(bundled, name))
  return files
}
