/** A watch as a case follows it: event by event. */
import { type Dispatcher, request as send } from 'undici'

/** One event of a watch. */
export interface WatchEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: cases read events as they expect them
  readonly object: any
}

/** An open watch. */
export interface Watching extends AsyncDisposable {
  readonly status: number
  readonly contentType: string
  /** The Status with which the watch was refused; undefined where it was opened. */
  // biome-ignore lint/suspicious/noExplicitAny: cases read answers as they expect them
  readonly refusal: any
  /** The next event; undefined where the server has ended the watch. Rejects where nothing comes for 15 s. */
  next(): Promise<WatchEvent | undefined>
  /** So many events, in short: `ADDED a`. */
  names(count: number): Promise<readonly string[]>
}

const patience = 15_000

/** Opens a watch. */
export async function startWatch(
  url: string,
  options: { readonly headers: Record<string, string>; readonly dispatcher: Dispatcher },
): Promise<Watching> {
  const gone = new AbortController()
  const { statusCode: status, headers, body } = await send(url, { ...options, method: 'GET', signal: gone.signal })
  const contentType = String(headers['content-type'] ?? '')
  const refusal = status === 200 ? undefined : await body.json()
  const events = status === 200 ? eventsOf(body) : undefined

  async function next(): Promise<WatchEvent | undefined> {
    const late = setTimeout(() => gone.abort(new Error(`Cannot go on: no event came for ${patience} ms`)), patience)
    try {
      const result = await events?.next()
      return result === undefined || result.done ? undefined : result.value
    } finally {
      clearTimeout(late)
    }
  }

  return {
    status,
    contentType,
    refusal,
    next,
    async names(count) {
      const names: string[] = []
      while (names.length < count) {
        const event = await next()
        if (event === undefined) return [...names, 'END']
        names.push(`${event.type} ${event.object.metadata?.name ?? ''}`.trim())
      }
      return names
    },
    async [Symbol.asyncDispose]() {
      gone.abort()
      await events?.return(undefined).catch(() => undefined)
    },
  }
}

async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent, undefined> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield JSON.parse(line)
  }
}
