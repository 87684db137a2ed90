import type { TProperties, TSchema } from '@sinclair/typebox'
import { configSections } from './schema.js'
import { isGroup } from './settings.js'

/** The sections of plugins, whose own values their `config_schema` describes. */
const pluginsSchema = {
  type: 'object',
  description: 'Configuration of plugins, by the name of the plugin; "-" and "_" are the same in it.',
  additionalProperties: {
    type: 'object',
    properties: {
      enabled: {
        type: ['boolean', 'string'],
        default: true,
        description: 'False takes the plugin out as if its folder were not there.',
      },
      required: {
        type: ['boolean', 'string'],
        default: false,
        description: 'True lets the host not start when the plugin does not run.',
      },
    },
  },
}

/** Makes the JSON Schema of `config.json`, by which editors complete and check the file. */
export function configJsonSchema(): object {
  const properties: Record<string, unknown> = {
    $schema: { type: 'string', description: 'Where editors find this schema; the host ignores it.' },
  }
  for (const section of configSections) {
    if (section.key === undefined) Object.assign(properties, section.settings)
    else properties[section.key] = groupSchema(section.about, section.settings)
  }
  properties.plugins = pluginsSchema
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'modulacms configuration',
    type: 'object',
    additionalProperties: false,
    properties,
  }
}

/** An object of settings, none of which has to be given. */
function groupSchema(description: string, properties: TProperties): object {
  const members = Object.entries(properties).map(([name, schema]): [string, object] => [
    name,
    settingSchema(schema),
  ])
  return { type: 'object', description, additionalProperties: false, properties: Object.fromEntries(members) }
}

function settingSchema(schema: TSchema): object {
  return isGroup(schema) ? groupSchema(schema.description ?? '', schema.properties) : schema
}
