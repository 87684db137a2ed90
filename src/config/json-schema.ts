import { type ConfigSection, configSections } from './schema.js'

/** Makes the JSON Schema of `config.json`, by which editors complete and check the file. */
export function configJsonSchema(): object {
  const properties: Record<string, unknown> = {
    $schema: { type: 'string', description: 'Where editors find this schema; the host ignores it.' },
  }
  for (const section of configSections) {
    if (section.key === undefined) Object.assign(properties, section.settings)
    else properties[section.key] = sectionSchema(section)
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'modulacms configuration',
    type: 'object',
    additionalProperties: false,
    properties,
  }
}

function sectionSchema(section: ConfigSection): object {
  return {
    type: 'object',
    description: section.about,
    additionalProperties: false,
    properties: section.settings,
  }
}
