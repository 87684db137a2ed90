import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join, relative, sep } from 'node:path'
import { send } from '@fastify/send'
import { failureAnswer } from '../pipeline.js'
import type { StageAnswer } from '../stage.js'
import { preconditionFailed, rangeNotSatisfiable } from './errors.js'

/**
 * Finds a file that a path names below a folder: no folder, nothing whose name starts with a dot, and nothing outside,
 * also not by a link.
 *
 * @param root The folder. May be a link to the present build.
 * @param path As the router sees it.
 * @returns Its place below the folder, links resolved; undefined without such a file.
 */
export async function findFile(root: string, path: string): Promise<readonly string[] | undefined> {
  const segments = readSegments(path)
  if (segments === undefined) return undefined
  try {
    const realRoot = await realpath(root)
    const file = await realpath(join(realRoot, ...segments))
    const place = relative(realRoot, file).split(sep)
    // What is outside starts with "..", or with another drive.
    if (!place.every(isVisible) || join(realRoot, ...place) !== file) return undefined
    return (await stat(file)).isFile() ? place : undefined
  } catch {
    return undefined
  }
}

/** Answers a request with a file: its type, length, version, the part that was asked for. */
export async function sendFile(
  root: string,
  place: readonly string[],
  request: IncomingMessage,
): Promise<StageAnswer | undefined> {
  const result = await send(request, place.map(encodeURIComponent).join('/'), {
    root: await realpath(root),
    dotfiles: 'ignore',
    index: false,
  })
  if (result.type === 'file') {
    const headers = { 'Content-Type': 'application/octet-stream', ...result.headers }
    return {
      status: result.statusCode,
      headers: [...headerList(result.statusCode === 304 ? result.headers : headers), ...safety],
      body: result.statusCode === 304 ? undefined : result.stream,
    }
  }
  result.stream.destroy()
  if (result.statusCode === 412) return failureAnswer(preconditionFailed())
  if (result.statusCode !== 416) return undefined
  const refusal = failureAnswer(rangeNotSatisfiable({ range: request.headers.range ?? '' }))
  return {
    ...refusal,
    headers: [...refusal.headers, 'content-range', result.headers['Content-Range'] ?? 'bytes */*'],
  }
}

const safety = ['x-content-type-options', 'nosniff'] as const

function headerList(headers: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), String(value)])
}

function readSegments(path: string): readonly string[] | undefined {
  try {
    const segments = path.slice(1).split('/').map(decodeURIComponent)
    return segments.every((segment) => isVisible(segment) && !/[/\\\0:]/.test(segment)) ? segments : undefined
  } catch {
    return undefined
  }
}

function isVisible(segment: string): boolean {
  return segment !== '' && !segment.startsWith('.')
}
