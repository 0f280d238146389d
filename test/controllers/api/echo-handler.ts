import type { HandledRequest, HandledResponse } from '../../../controllers/api/transport.ts'

/** What the handler saw and what the test lets it tell. */
export interface EchoState {
  readonly requests: HandledRequest[]
  /** Chunks that a watch tells next; `undefined` ends it. */
  readonly chunks: (Uint8Array | undefined)[]
  wake: () => void
  openWatches: number
}

/** A request core that echoes requests; `/watch` streams what the test pushes, `/fail` throws, `/hang` waits for the abort. */
export function echoHandler(): {
  readonly handle: (request: HandledRequest) => Promise<HandledResponse>
  readonly state: EchoState
} {
  const state: EchoState = { requests: [], chunks: [], wake: () => undefined, openWatches: 0 }

  async function* stream(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    state.openWatches++
    signal?.addEventListener('abort', () => state.wake())
    try {
      for (;;) {
        while (state.chunks.length > 0) {
          const chunk = state.chunks.shift()
          if (chunk === undefined) return
          yield chunk
        }
        if (signal?.aborted) return
        await new Promise<void>(resolve => {
          state.wake = resolve
        })
      }
    } finally {
      state.openWatches--
    }
  }

  async function handle(request: HandledRequest): Promise<HandledResponse> {
    state.requests.push(request)
    const { method, path, headers, body, signal } = request
    if (path === '/fail') throw new Error('the disk is on fire')
    if (path === '/hang')
      await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    if (path === '/exit') process.exit(3)
    if (path.startsWith('/gone')) {
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
      return { status: 410, headers: {}, body: Buffer.from(JSON.stringify(status)) }
    }
    if (path.startsWith('/watch')) return { status: 200, headers: {}, body: stream(signal) }
    const echo = { method, path, headers, body: body === undefined ? undefined : Buffer.from(body).toString('utf8') }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(echo)) }
  }

  return { handle, state }
}
