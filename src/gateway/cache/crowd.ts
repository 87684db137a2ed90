/** Something that knows its place in a crowd; the crowd alone sets it. */
export interface Member {
  place: number
}

/**
 * Members in no order. Unlike a Set, it leaves no tables behind as members come and go: those would keep everything
 * that they have ever held in memory until the next full collection of garbage.
 */
export class Crowd<T extends Member> {
  readonly #members: T[] = []

  /** @param member One that is in no crowd. */
  add(member: T): void {
    member.place = this.#members.push(member) - 1
  }

  /** Does nothing for one that has left. */
  remove(member: T): void {
    if (member.place < 0) return
    const last = this.#members.pop() as T
    if (last !== member) {
      this.#members[member.place] = last
      last.place = member.place
    }
    member.place = -1
  }

  /** All members; none may come or go meanwhile. */
  all(): readonly T[] {
    return this.#members
  }
}
