import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { testLimits } from '../base/limits/harness.js'
import { testsImpossible } from './errors.js'

/** A test file as it was read. */
export interface TestFile {
  /** Path in the plugin's folder, with `/`. */
  readonly path: string
  readonly text: string
}

/**
 * Reads the files `test/*.test.lua` of a plugin, in alphabetical order. Other files there are left alone.
 *
 * @throws HostError PLUGIN_TESTS_IMPOSSIBLE when there are none, or one cannot be read.
 */
export async function readTestFiles(folder: string, plugin: string): Promise<readonly TestFile[]> {
  const refuse = (reason: string, cause?: unknown) => testsImpossible({ plugin, reason }, { cause })
  const entries = await readdir(join(folder, 'test'), { withFileTypes: true }).catch((cause: unknown) => {
    throw refuse('it has no folder test/; put files named *.test.lua there', cause)
  })
  const names = entries
    .filter(
      (entry) => entry.name.endsWith('.test.lua') && !entry.name.startsWith('.') && !entry.isDirectory(),
    )
    .map((entry) => entry.name)
    .sort()
  if (names.length === 0) throw refuse('there is no file test/*.test.lua')
  if (names.length > testLimits.filesMax) {
    throw refuse(`it has ${names.length} test files; the limit is ${testLimits.filesMax}`)
  }
  return Promise.all(names.map((name) => readTestFile(folder, `test/${name}`, refuse)))
}

async function readTestFile(
  folder: string,
  path: string,
  refuse: (reason: string, cause?: unknown) => Error,
): Promise<TestFile> {
  let bytes: Buffer
  try {
    bytes = await readBounded(join(folder, path))
  } catch (cause) {
    throw refuse(`${path} cannot be read`, cause)
  }
  if (bytes.length > testLimits.fileBytesMax) {
    throw refuse(`${path} is larger than ${testLimits.fileBytesMax} bytes; split it`)
  }
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (cause) {
    throw refuse(`${path} is not UTF-8 text; save it as UTF-8`, cause)
  }
}

/** Reads one byte more than a file may have, and no further. */
async function readBounded(path: string): Promise<Buffer> {
  const handle = await open(path)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is not a regular file')
    const buffer = Buffer.alloc(testLimits.fileBytesMax + 1)
    let filled = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled)
      filled += bytesRead
      if (bytesRead === 0 || filled === buffer.length) return buffer.subarray(0, filled)
    }
  } finally {
    await handle.close()
  }
}
