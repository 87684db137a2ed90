/** Limits of the secrets of plugins. */
export const secretLimits = {
  /** Characters that a secret needs: a shorter one is refused at the start, as it would be found everywhere by chance. */
  charactersMin: 8,
  /** Characters of a secret; a longer one is refused at the start. */
  charactersMax: 8192,
  /** Names that a manifest may list; with more the plugin does not load. */
  namesMax: 16,
  /** Characters of a name; with a longer one the plugin does not load. */
  nameCharactersMax: 64,
} as const
