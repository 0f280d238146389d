/** The way between controllers and API, on which requests, answers and events are lost, late, or come twice. */
import type { TransportRequest, TransportResponse, WatchOptions } from '../../controllers/api/transport.ts'
import { type Environment, sleep } from '../../crds/environment.ts'
import type { WireTrouble } from './scenario.ts'

interface Entry {
  readonly trouble: WireTrouble
  left: number
  skip: number
}

type NoAnswer = (what: string, cause: unknown) => Error

/** Troubles that wait for their request or event. */
export class Wire {
  readonly #environment: Environment
  readonly #eventLag: number
  readonly #entries = new Set<Entry>()
  /** How often each trouble was met. */
  readonly met: Record<string, number> = {}

  /** `eventLag`: how long after the answer to a write watches tell of it, in ms. */
  constructor(environment: Environment, eventLag = 0) {
    this.#environment = environment
    this.#eventLag = eventLag
  }

  /** Scripts a trouble. */
  add(trouble: WireTrouble): void {
    this.#entries.add({ trouble, left: trouble.times, skip: trouble.skip })
  }

  /** Takes all troubles back. */
  clear(): void {
    this.#entries.clear()
  }

  /** Sends a request, as far as the way lets it through. */
  async request(
    request: TransportRequest,
    send: () => Promise<TransportResponse>,
    noAnswer: NoAnswer,
  ): Promise<TransportResponse> {
    if (this.#entries.size === 0) return send()
    const trouble = this.#take(request.path, trouble => trouble.endsWith('Request') || trouble === 'LoseReply')
    if (trouble?.trouble === 'LoseRequest') throw noAnswer(request.path, new Error('the simulated request was lost'))
    if (trouble?.trouble === 'DelayRequest') await sleep(this.#environment.clock, trouble.milliseconds, request.signal)
    const answer = await send()
    if (trouble?.trouble === 'LoseReply') throw noAnswer(request.path, new Error('the simulated answer was lost'))
    return answer
  }

  /** Follows a watch, as far as the way lets its events through. Their order is kept. */
  async watch(path: string, options: WatchOptions, follow: (options: WatchOptions) => Promise<void>): Promise<void> {
    const breaking = new AbortController()
    const signal = AbortSignal.any([options.signal, breaking.signal])
    let waiting: Parameters<WatchOptions['onEvent']>[] | undefined
    const tell: WatchOptions['onEvent'] = (type, object) => {
      if (signal.aborted) return
      if (waiting === undefined) options.onEvent(type, object)
      else waiting.push([type, object])
    }
    const release = () => {
      const events = waiting ?? []
      waiting = undefined
      for (const event of events) tell(...event)
    }
    const onEvent: WatchOptions['onEvent'] = (type, object) => {
      if (this.#entries.size === 0 || type === 'BOOKMARK' || type === 'ERROR') return tell(type, object)
      const trouble = this.#take(path, each => each.endsWith('Event') || each === 'BreakWatch')
      if (trouble?.trouble === 'DropEvent') return
      if (trouble?.trouble === 'BreakWatch') return breaking.abort()
      if (trouble?.trouble === 'DelayEvent' && waiting === undefined) {
        waiting = []
        this.#environment.clock.after(trouble.milliseconds, release)
      }
      tell(type, object)
      if (trouble?.trouble === 'DuplicateEvent') tell(type, object)
    }
    await follow({ signal, onEvent: this.#lagging(onEvent) })
  }

  #lagging(onEvent: WatchOptions['onEvent']): WatchOptions['onEvent'] {
    if (this.#eventLag === 0) return onEvent
    return (type, object) => void this.#environment.clock.after(this.#eventLag, () => onEvent(type, object))
  }

  #take(path: string, concerns: (trouble: WireTrouble['trouble']) => boolean): WireTrouble | undefined {
    for (const entry of this.#entries) {
      const { trouble } = entry
      if (!concerns(trouble.trouble)) continue
      if (trouble.plural !== undefined && !path.includes(`/${trouble.plural}`)) continue
      if (entry.skip > 0) {
        entry.skip--
        continue
      }
      entry.left--
      if (entry.left <= 0) this.#entries.delete(entry)
      this.met[trouble.trouble] = (this.met[trouble.trouble] ?? 0) + 1
      return trouble
    }
    return undefined
  }
}
