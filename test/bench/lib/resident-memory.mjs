import { readFileSync } from 'node:fs'
import { run } from './children.mjs'

/** Resident memory of a process in bytes. */
export async function residentBytes(children, pid) {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(kibibytes) * 1024
  }
  return Number((await run(children, 'ps', ['-o', 'rss=', '-p', String(pid)])).trim()) * 1024
}
