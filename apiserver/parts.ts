/** Answers put together from pieces that are encoded already. */

/** A piece of an answer: text, or bytes as they are. */
export type Part = string | Buffer

/**
 * All pieces in one buffer of exactly their size: pooled memory would keep its neighbours alive. A buffer that is the
 * only piece is not copied.
 */
export function joined(parts: readonly Part[]): Buffer {
  const [only] = parts
  if (parts.length === 1 && typeof only === 'object') return only
  let size = 0
  for (const part of parts) size += typeof part === 'string' ? Buffer.byteLength(part) : part.length
  const whole = Buffer.allocUnsafeSlow(size)
  let offset = 0
  for (const part of parts) offset += typeof part === 'string' ? whole.write(part, offset) : part.copy(whole, offset)
  return whole
}

/** From this size on, in bytes, lists are put together while they are sent, and answers compressed for clients that take it, as in Kubernetes. */
export const streamedFrom = 128 * 1024

/** Pieces are about this large, in bytes: to put one together and encrypt it takes less than a millisecond. */
const pieceSize = 256 * 1024

/** The parts as pieces that are put together when they are asked for, one in each turn of the event loop. */
export async function* inPieces(parts: Iterable<Part>): AsyncGenerator<Buffer> {
  let gathered: Part[] = []
  let size = 0
  for (const part of parts) {
    gathered.push(part)
    size += part.length
    if (size < pieceSize) continue
    yield joined(gathered)
    gathered = []
    size = 0
    await new Promise(setImmediate)
  }
  if (gathered.length > 0) yield joined(gathered)
}
