/** An environment variable that gives one value of a plugin. */
export interface GivenVariable {
  readonly variable: string
  /** The key of the value in lower case, e.g. `['limits', 'max']`. */
  readonly path: readonly string[]
  readonly text: string
}

/** What an operator says of one plugin. */
export interface GivenSection {
  /** Name with `_` in the place of `-`. */
  readonly name: string
  /** Where it stands, e.g. `plugins.worker-token`. */
  readonly key: string
  readonly origin: string
  readonly enabled: boolean
  readonly required: boolean
  /** As they are written: variables in them are not replaced yet. */
  readonly values: Readonly<Record<string, unknown>>
  readonly variables: readonly GivenVariable[]
  originOf(key: string): string
}

/** Everything that operators say of plugins. */
export interface PluginConfigSource {
  /** By name. */
  readonly sections: ReadonlyMap<string, GivenSection>
  /** What variables in texts are replaced by; undefined takes texts as they are. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined
  readonly edition: string
  /** Names of the plugins of each edition. */
  readonly editions: Readonly<Record<string, readonly string[]>>
}

/** One thing that is wrong with the values of a plugin. */
export interface ValueProblem {
  /** e.g. `plugins.tokens.ttl`. */
  readonly key: string
  /** What was given, before variables were replaced; absent where it may be a secret, or there is nothing. */
  readonly shown?: unknown
  /** What has to be different, as the end of a sentence. */
  readonly rule: string
  /** Where the value came from. */
  readonly origin: string
}

/** Gives the form in which names of plugins are compared: `-` and `_` are the same. */
export function comparableName(name: string): string {
  return name.replaceAll('-', '_')
}
