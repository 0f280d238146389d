import type { WatchEventType } from './transport.ts'

const newline = 0x0a
const types: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'])

/** Reads watch events out of a stream's chunks, which may be cut anywhere. Throws on what is no event. */
export function createWatchParser(
  onEvent: (type: WatchEventType, object: unknown) => void,
): (chunk: Uint8Array) => void {
  let rest: Buffer | undefined

  function line(bytes: Buffer, start: number, end: number): void {
    if (end <= start) return
    const event: unknown = JSON.parse(bytes.toString('utf8', start, end))
    if (!isEvent(event)) throw new Error('Cannot read a watch: what came is no watch event')
    onEvent(event.type, event.object)
  }

  return chunk => {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = rest === undefined ? view : Buffer.concat([rest, view])
    rest = undefined
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      line(bytes, start, end)
      start = end + 1
    }
    // A copy: the chunk's memory is not ours to keep.
    if (start < bytes.length) rest = Buffer.from(bytes.subarray(start))
  }
}

function isEvent(value: unknown): value is { readonly type: WatchEventType; readonly object: unknown } {
  return (
    typeof value === 'object' && value !== null && 'type' in value && 'object' in value && types.has(String(value.type))
  )
}
