import { type TProperties, Type } from '@sinclair/typebox'
import { kvLimits } from '../../base/limits/kv.js'
import type { KvEnqueueOptions } from '../kv.js'
import { given, type Members, readInteger, readItems, readText } from './body-reader.js'
import { readKey } from './key-text.js'
import { mismatch } from './preview.js'
import { keySchema, milliseconds } from './schemas.js'

/** The options of a message, for the document. */
export const enqueueProperties: TProperties = {
  queue: Type.Optional(Type.String({ description: 'Name of the queue; `default` when it is missing.' })),
  delay: Type.Optional(milliseconds('Before the message is given out.')),
  backoffSchedule: Type.Optional(
    Type.Array(Type.Integer(), {
      description: 'Milliseconds to wait after each failed try; there is one try more than there are pauses.',
    }),
  ),
  keysIfUndelivered: Type.Optional(
    Type.Array(keySchema, { description: 'Keys that the value is set at when all tries have failed.' }),
  ),
}

/** Reads the options of a message; the store checks how long and how many they may be. */
export function readEnqueueOptions(members: Members, place: string): KvEnqueueOptions {
  const { queue, delay, backoffSchedule, keysIfUndelivered } = members
  const lists = { min: 0, max: kvLimits.keysMax }
  return given({
    queue: readText(queue, `${place}.queue`),
    delay: readInteger(delay, `${place}.delay`),
    backoffSchedule:
      backoffSchedule === undefined
        ? undefined
        : readItems(backoffSchedule, `${place}.backoffSchedule`, lists, needInteger),
    keysIfUndelivered:
      keysIfUndelivered === undefined
        ? undefined
        : readItems(keysIfUndelivered, `${place}.keysIfUndelivered`, lists, readKey),
  })
}

function needInteger(item: unknown, place: string): number {
  const integer = readInteger(item, place)
  if (integer === undefined) throw mismatch(place, 'a whole number', item)
  return integer
}
