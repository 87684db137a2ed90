import { defineError } from '../../base/errors.js'

/** A stage that has to let a request or an answer pass could not be run: it failed, was too slow, or is paused. */
export const stageUnavailable = defineError(
  'GATEWAY_STAGE_UNAVAILABLE',
  503,
  'The stage {stage} could not decide about this request. Try again later; the log has the reason.',
)
