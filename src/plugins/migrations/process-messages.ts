import type { StepResult } from './migration-step.js'
import type { MigrationOrder } from './runner.js'

/** What the process of migrations is told, once. */
export interface ProcessOrder extends MigrationOrder {
  /** Path of the database file. */
  readonly file: string
  /** Path of the copy on which the steps are rehearsed; undefined when they are not. */
  readonly copy?: string | undefined
  /** Time that a step may hold the write lock. */
  readonly durationMs: number
}

/** What it tells of its work. */
export type ProcessMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'begun'; readonly version: number }
  | { readonly kind: 'done'; readonly result: StepResult }
  | { readonly kind: 'failed'; readonly version: number; readonly reason: string }
  | { readonly kind: 'finished' }
