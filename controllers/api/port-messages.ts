import type { MessagePort } from 'node:worker_threads'

/**
 * What crosses a port between the controllers and an API server in a worker. Messages are gathered for one turn of the
 * event loop and cross together; their bytes are packed into one buffer, which is handed over and not copied again.
 */
export type PortMessage =
  | {
      readonly type: 'Request'
      readonly id: number
      readonly method: string
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly body?: Uint8Array
    }
  /** The request is given up. */
  | { readonly type: 'Cancel'; readonly id: number }
  /** A whole answer. */
  | {
      readonly type: 'Response'
      readonly id: number
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
    }
  /** An answer whose body comes in chunks. */
  | {
      readonly type: 'Stream'
      readonly id: number
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly type: 'Chunk'; readonly id: number; readonly body: Uint8Array }
  | { readonly type: 'End'; readonly id: number }
  /** The request failed without an answer. */
  | { readonly type: 'Failure'; readonly id: number; readonly message: string }

interface Batch {
  /** Each message without its body, and where that lies in `bytes`. */
  readonly messages: readonly { readonly message: unknown; readonly from: number; readonly to: number }[]
  readonly bytes: ArrayBuffer
}

const nothing = new Uint8Array(0)

/** Posts messages to a port, those of one turn of the event loop together. */
export function createBatcher(port: MessagePort): (message: PortMessage) => void {
  let gathered: PortMessage[] = []

  function flush(): void {
    const batch = pack(gathered)
    gathered = []
    port.postMessage(batch, [batch.bytes])
  }

  return message => {
    if (gathered.push(message) === 1) setImmediate(flush)
  }
}

/** Hears the messages of a port, in order. */
export function onMessages(port: MessagePort, hear: (message: PortMessage) => void): void {
  port.on('message', (batch: Batch) => {
    for (const { message, from, to } of batch.messages) {
      // The edge: the other side of the port is this file too.
      const known = message as PortMessage
      hear('body' in known ? { ...known, body: new Uint8Array(batch.bytes, from, to - from) } : known)
    }
  })
}

function pack(gathered: readonly PortMessage[]): Batch {
  let size = 0
  for (const message of gathered) size += bodyOf(message).byteLength
  const bytes = new Uint8Array(size)
  let from = 0
  const messages = gathered.map(message => {
    const body = bodyOf(message)
    bytes.set(body, from)
    const to = from + body.byteLength
    const packed = { message: 'body' in message ? { ...message, body: undefined } : message, from, to }
    from = to
    return packed
  })
  return { messages, bytes: bytes.buffer }
}

function bodyOf(message: PortMessage): Uint8Array {
  return 'body' in message ? (message.body ?? nothing) : nothing
}
