import { contentLimits } from '../base/limits/content.js'
import type { CoreDatabase } from '../database/database.js'
import { ContentReader } from './content-reader.js'
import { ContentWriter } from './content-writer.js'
import type { HookRow, HookRunner } from './hook-runner.js'
import { cursorBehind, parseListQuery } from './list-query.js'
import type { ReadableTable } from './table-catalogue.js'

/** What the content of a host is made of. */
export interface ContentOptions {
  readonly database: CoreDatabase
  /** `noHooks` where there are no plugins. */
  readonly hooks: HookRunner
}

/** One page of a list. */
export interface ContentPage {
  readonly items: readonly HookRow[]
  /** Gives the next page; undefined at the end. */
  readonly nextCursor: string | undefined
}

/** Datatypes, entries and media of one host. */
export interface ContentService {
  /** Reads without hooks. */
  readonly reader: ContentReader
  /** Writes, always with hooks and a change event. */
  readonly writer: ContentWriter
  /** Gives one page of a list; see `parseListQuery` for the query and its errors. */
  list(table: ReadableTable, query: Readonly<Record<string, unknown>>): Promise<ContentPage>
}

/** Creates the service; it holds nothing that has to be closed. */
export function createContent({ database, hooks }: ContentOptions): ContentService {
  const reader = new ContentReader(database)
  return {
    reader,
    writer: new ContentWriter(database, reader, hooks),
    async list(table, query) {
      const parsed = parseListQuery(table, query)
      const { rows, isCut } = await reader.rows(table, {
        where: parsed.where,
        orderBy: [parsed.order],
        limit: parsed.limit + 1,
        bytesMax: contentLimits.pageBytesMax,
      })
      const items = rows.slice(0, parsed.limit)
      const last = items[items.length - 1]
      const hasMore = (isCut || rows.length > parsed.limit) && last !== undefined
      return { items, nextCursor: hasMore ? cursorBehind(parsed, last) : undefined }
    },
  }
}
