/** Writes bytes from their end to their beginning: what stands before a message, its length, is then known in time. */
export class BackwardWriter {
  #bytes = Buffer.alloc(4_096)
  #start = this.#bytes.length

  /** Number of bytes so far. */
  get length(): number {
    return this.#bytes.length - this.#start
  }

  /** The bytes of a string. */
  utf8(value: string): void {
    const length = Buffer.byteLength(value)
    this.#reserve(length)
    this.#bytes.write(value, this.#start)
  }

  /** A whole number that is not negative, seven bits a byte. */
  varint(value: number): void {
    let length = 1
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
    this.#reserve(length)
    let at = this.#start
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) + 0x80
    this.#bytes[at] = rest
  }

  /** Eight bytes, the least significant first. */
  double(value: number): void {
    this.#reserve(8)
    this.#bytes.writeDoubleLE(value, this.#start)
  }

  /** All bytes, in the order in which they are read. */
  finish(): Uint8Array {
    return this.#bytes.subarray(this.#start)
  }

  #reserve(length: number): void {
    if (length > this.#start) this.#grow(length)
    this.#start -= length
  }

  #grow(length: number): void {
    const written = this.finish()
    const bytes = Buffer.alloc(2 * (written.length + length))
    this.#start = bytes.length - written.length
    bytes.set(written, this.#start)
    this.#bytes = bytes
  }
}
