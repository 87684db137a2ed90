import { contentLimits } from '../base/limits/content.js'
import { type ContentStatus, contentStatuses } from '../database/content-tables.js'
import { findSchemaProblem } from './field-schema.js'
import { findFieldsProblem } from './fields-size.js'
import type { ContentTable } from './table-catalogue.js'

/** A column that clients, plugins and hooks may write. */
export interface ColumnRule {
  /** Gives what is wrong with a value, as the end of a sentence that begins with the column; undefined when nothing is. */
  readonly check: (value: unknown) => string | undefined
  /** Makes the value of a new row that gives none; without it the column is required. */
  readonly initial?: () => unknown
  /** The value of a row never changes. */
  readonly isFixed?: true
}

const { nameCharactersMax, slugCharactersMax, titleCharactersMax, altCharactersMax, urlCharactersMax } =
  contentLimits

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const controlCharacter = /[\u0000-\u001f\u007f]/

/** The columns of each table that can be written; all others are the host's. */
export const columnRules: Readonly<Record<ContentTable, Readonly<Record<string, ColumnRule>>>> = {
  datatypes: {
    name: {
      check: matching(
        /^[a-z][a-z0-9_]*$/,
        nameCharactersMax,
        'a lower-case letter and then letters, digits and "_"',
      ),
      isFixed: true,
    },
    label: { check: text(0, titleCharactersMax), initial: () => '' },
    schema: { check: checkSchema },
  },
  content_data: {
    datatype: { check: text(1, nameCharactersMax) },
    slug: {
      check: matching(
        /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
        slugCharactersMax,
        'lower-case letters and digits, with single hyphens between them',
      ),
    },
    title: { check: text(1, titleCharactersMax) },
    status: { check: checkStatus, initial: (): ContentStatus => 'draft' },
    fields: { check: findFieldsProblem, initial: () => ({}) },
  },
  media: {
    name: { check: text(1, titleCharactersMax) },
    mime_type: {
      check: matching(
        /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/,
        127,
        'a type such as image/png in lower case, without parameters',
      ),
    },
    bytes: { check: checkBytes },
    alt: { check: text(0, altCharactersMax), initial: () => '' },
    url: { check: checkUrl },
  },
}

function text(charactersMin: number, charactersMax: number): ColumnRule['check'] {
  return (value) => {
    if (typeof value !== 'string') return 'must be a text'
    if (/\p{Surrogate}/u.test(value)) return 'is not valid Unicode'
    if (controlCharacter.test(value)) return 'has a control character'
    if (value.trim().length < charactersMin) return 'must not be empty'
    return value.length > charactersMax
      ? `has ${value.length} characters; the limit is ${charactersMax}`
      : undefined
  }
}

function matching(pattern: RegExp, charactersMax: number, form: string): ColumnRule['check'] {
  const isText = text(1, charactersMax)
  return (value) => isText(value) ?? (pattern.test(String(value)) ? undefined : `must be ${form}`)
}

function checkStatus(value: unknown): string | undefined {
  const isKnown = (contentStatuses as readonly unknown[]).includes(value)
  return isKnown ? undefined : `must be one of ${contentStatuses.join(', ')}`
}

function checkSchema(value: unknown): string | undefined {
  const problem = findSchemaProblem(value)
  return problem === undefined ? undefined : `cannot be used: ${problem}`
}

function checkBytes(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'must be a count of bytes'
}

/** A page that shows the address must not run it: only web addresses and paths of this server are taken. */
function checkUrl(value: unknown): string | undefined {
  const problem = text(1, urlCharactersMax)(value)
  if (problem !== undefined) return problem
  const url = String(value)
  const isPath = /^\/(?![/\\])/.test(url)
  if (isPath || (/^https?:\/\//i.test(url) && URL.canParse(url))) return undefined
  return 'must begin with https:// or http://, or be a path that begins with one "/"'
}
