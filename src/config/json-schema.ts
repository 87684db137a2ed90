import type { TProperties, TSchema } from '@sinclair/typebox'
import { configSections } from './schema.js'
import { isGroup } from './settings.js'

/** Makes the JSON Schema of `config.json`, by which editors complete and check the file. */
export function configJsonSchema(): object {
  const properties: Record<string, unknown> = {
    $schema: { type: 'string', description: 'Where editors find this schema; the host ignores it.' },
  }
  for (const section of configSections) {
    if (section.key === undefined) Object.assign(properties, section.settings)
    else properties[section.key] = groupSchema(section.about, section.settings)
  }
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
