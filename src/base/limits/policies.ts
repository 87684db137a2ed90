/** Limits of policies and of what they decide. */
export const policyLimits = {
  /** Policies of the configuration and of the database together; one more is refused. */
  policiesMax: 2000,
  /** Bytes of one policy as JSON; a larger one is refused. */
  policyBytesMax: 16 * 1024,
  /** Bytes of all policies of the database as JSON; one that would exceed them is refused. */
  storedBytesMax: 8 * 1024 * 1024,
  /** Characters of the id of a policy; a longer one is refused. */
  idCharactersMax: 64,
  /** Characters of the name of a policy; a longer one is refused. */
  nameCharactersMax: 128,
  /** Characters of the description of a policy; a longer one is refused. */
  descriptionCharactersMax: 500,
  /** Characters of any other text of a policy, globs included; a policy with a longer one is refused. */
  textCharactersMax: 512,
  /** The smallest priority is below zero by as much; a policy with a larger one is refused. */
  priorityMax: 1_000_000,
  /** Subjects, resources or actions of one policy, each by itself; a policy with more is refused. */
  itemsMax: 50,
  /** Conditions of one policy, those inside of others included; a policy with more is refused. */
  conditionsMax: 50,
  /** How deep conditions stand inside of each other; a policy with deeper ones is refused. */
  conditionDepthMax: 5,
  /** Addresses and blocks in one list of a condition; a policy with more is refused. */
  networksMax: 200,
  /** Values that one comparison chooses from; a policy with more is refused. */
  valuesMax: 200,
  /** Problems of one policy that are told at once; the rest is only counted. */
  problemsMax: 50,
  /** Versions of one policy that are kept; the oldest gives way. */
  historyMax: 20,
  /** Versions of all policies that are kept, deleted ones included; the oldest gives way. */
  historyRowsMax: 10_000,
  /** Characters of who changed a policy; the rest is cut. */
  changedByCharactersMax: 255,
  /** Policies in one page of the list; a query for more is refused. */
  pageMax: 200,
  /** Policies in one page when the query says nothing. */
  pageDefault: 50,
  /** Characters of a cursor; a longer one is none. */
  cursorCharactersMax: 256,
  /** Bytes of a file of seeds; a larger one stops the start. */
  seedFileBytesMax: 8 * 1024 * 1024,
  /** Characters of the path that is decided about; a longer one is no context. */
  pathCharactersMax: 16 * 1024,
  /** Bytes of a context that is sent to be tried, as JSON; a larger one is refused. */
  contextBytesMax: 64 * 1024,
  /** Different questions to plugins for one decision; what asks one more cannot be evaluated. */
  questionsMax: 16,
  /** Time of one question to a plugin, after which its condition cannot be evaluated. */
  questionMs: 2000,
  /** Segments at the start of a path by which policies are found; further ones do not make it faster. */
  indexedSegmentsMax: 4,
} as const
