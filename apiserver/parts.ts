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
