import { readNumber } from '../request/query.ts'
import type { Watch } from './watch-frames.ts'

/** Milliseconds between bookmarks, as in Kubernetes. */
const bookmarkInterval = 60_000

/** Shortest life of a watch whose client names none, in milliseconds; up to twice as long by chance. */
const shortestLife = 30 * 60_000

/** What a watch waits for: events, the time for a bookmark, its end. */
export class Alarm {
  /** The watch is to end when all is told. */
  ended = false
  #bookmarkDue = false
  #woken = false
  #wake: (() => void) | undefined
  readonly #cancels: (() => void)[] = []

  constructor(watch: Watch, signal: AbortSignal) {
    const { clock, random } = watch.scope.context.environment
    const wished = readNumber(watch.scope.query, 'timeoutSeconds')
    const life = wished !== undefined && wished > 0 ? wished * 1000 : shortestLife * (1 + random.next())
    const onEnd = () => {
      this.ended = true
      this.#ring()
    }
    const { registry } = watch.scope.context
    const { group, version, plural } = watch.scope.resource.definition
    const onRemoval = () => {
      if (registry.find(group, version, plural) === undefined) onEnd()
    }
    registry.removals.add(onRemoval)
    signal.addEventListener('abort', onEnd, { once: true })
    const timer = clock.after(life, onEnd)
    if (signal.aborted) onEnd()
    this.#cancels.push(
      watch.collection.audience.join(() => this.#ring()),
      () => registry.removals.delete(onRemoval),
      () => signal.removeEventListener('abort', onEnd),
      () => timer.cancel(),
    )
    if (watch.bookmarks) this.#scheduleBookmarks(watch)
  }

  /** Resolves at the next event, bookmark or end; at once when one has come since the last call. */
  next(): Promise<void> {
    if (this.#woken) {
      this.#woken = false
      return Promise.resolve()
    }
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** True once whenever a bookmark is due. */
  takeBookmark(): boolean {
    const due = this.#bookmarkDue
    this.#bookmarkDue = false
    return due
  }

  /** Waits for nothing any more. */
  cancel(): void {
    this.ended = true
    for (const cancel of this.#cancels) cancel()
  }

  #scheduleBookmarks(watch: Watch): void {
    const { clock } = watch.scope.context.environment
    const schedule = () =>
      clock.after(bookmarkInterval, () => {
        this.#bookmarkDue = true
        this.#ring()
        timer = schedule()
      })
    let timer = schedule()
    this.#cancels.push(() => timer.cancel())
  }

  #ring(): void {
    const wake = this.#wake
    this.#wake = undefined
    if (wake === undefined) this.#woken = true
    else wake()
  }
}
