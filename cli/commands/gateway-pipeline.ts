import type { Command } from 'commander'
import type { GatewayStage } from '../../sdk/client/index.js'
import type { CommandContext } from '../context.js'
import { finishServerCommand, printListing } from '../server-command.js'

/** Adds `gateway pipeline`. */
export function addPipelineCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('pipeline')
    .summary('list the stages in their order')
    .description(
      'List the stages that requests go through, from top to bottom; answers go through them from bottom to top.',
    )
  finishServerCommand({
    command,
    context,
    examples: ['gateway pipeline', 'gateway pipeline --json'],
    run: async ({ gateway }, options) => {
      const items = await gateway.pipeline()
      const heading = ['STAGE', 'PRIORITY', 'PHASES', 'MORE']
      printListing(context, options, { items, heading, row: toRow, empty: 'there are no stages' })
    },
  })
}

function toRow({ name, priority, phases, plugin, event, ...more }: GatewayStage): readonly string[] {
  const said = Object.entries(more).map(([key, value]) => `${key}=${show(value)}`)
  return [name, String(priority), phases.join(','), said.join(' ')]
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'all' : value.join(',')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
