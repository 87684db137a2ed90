import type { FastifyInstance } from 'fastify'
import type { OperationContext } from './plugin-operations.js'
import {
  type CleanupBody,
  cleanupBodySchema,
  cleanupPreviewSchema,
  cleanupResultSchema,
  errorSchema,
  schemaOf,
} from './schemas.js'

const tag = 'cleanup'

/** Adds the look at orphaned tables and their removal. */
export function addCleanupOperations(app: FastifyInstance, context: OperationContext): void {
  const { administration, mutations } = context
  const preview = schemaOf({
    tag,
    operationId: 'previewCleanup',
    summary: 'List the tables that no plugin owns',
    description: 'Drops nothing. These are tables that a plugin made whose folder is gone.',
    answer: cleanupPreviewSchema,
    failures: { 409: errorSchema },
  })
  app.get('/plugins/cleanup', { schema: preview }, async () => {
    const tables = await administration.orphanedTables()
    return { orphaned_tables: tables, count: tables.length, action: 'dry_run' }
  })

  const drop = schemaOf({
    tag,
    operationId: 'dropOrphanedTables',
    summary: 'Drop tables that no plugin owns',
    description:
      'Drops those of the given tables that are orphaned at this moment. The rows do not come back.',
    body: cleanupBodySchema,
    answer: cleanupResultSchema,
    failures: { 400: errorSchema, 409: errorSchema, 413: errorSchema },
  })
  app.post<{ Body: CleanupBody }>('/plugins/cleanup', { schema: drop }, async (request) => {
    const { tables } = request.body
    const dropped = await mutations.run(request, 'tables.drop', { tables }, (actor) =>
      administration.dropOrphanedTables(tables, actor),
    )
    return { dropped, count: dropped.length }
  })
}
