/**
 * The external data representation of RFC 4506, as far as libvirt's protocol uses it:
 * big-endian, everything padded with zeros to a multiple of four bytes.
 */

/** Thrown when bytes do not hold what the protocol says they hold. */
export class XdrError extends Error {
  override readonly name = 'XdrError'
}

const longest = 32 * 1024 * 1024

/** Writes values one after another; `bytes()` takes them all. */
export class XdrWriter {
  #buffer = Buffer.allocUnsafe(256)
  #length = 0

  #room(count: number): number {
    const at = this.#length
    if (at + count > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + count))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#length = at + count
    return at
  }

  /** A signed 32-bit integer. */
  int(value: number): this {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
    return this
  }

  /** An unsigned 32-bit integer. */
  uint(value: number): this {
    const at = this.#room(4)
    this.#buffer.writeUInt32BE(value, at)
    return this
  }

  /** An unsigned 64-bit integer. */
  hyper(value: bigint): this {
    const at = this.#room(8)
    this.#buffer.writeBigUInt64BE(value, at)
    return this
  }

  /** Bytes of a length both sides know. */
  fixed(value: Uint8Array): this {
    const padded = value.length + padding(value.length)
    const at = this.#room(padded)
    this.#buffer.set(value, at)
    this.#buffer.fill(0, at + value.length, at + padded)
    return this
  }

  /** A string in UTF-8, with its length in bytes before it. */
  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    return this.uint(bytes.length).fixed(bytes)
  }

  /** A string that may be left out. */
  optionalString(value: string | undefined): this {
    if (value === undefined) return this.uint(0)
    return this.uint(1).string(value)
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}

/** Reads values one after another. Throws `XdrError` where the bytes end too early. */
export class XdrReader {
  readonly #buffer: Buffer
  #position = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  #take(count: number): number {
    const at = this.#position
    if (at + count > this.#buffer.length) {
      throw new XdrError(`Cannot read ${count} bytes: ${this.#buffer.length - at} are left`)
    }
    this.#position = at + count
    return at
  }

  int(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  uint(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  hyper(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8))
  }

  fixed(length: number): Buffer {
    const at = this.#take(length + padding(length))
    return this.#buffer.subarray(at, at + length)
  }

  string(): string {
    const length = this.uint()
    if (length > longest) throw new XdrError(`Cannot read a string of ${length} bytes: the limit is ${longest}`)
    return this.fixed(length).toString('utf8')
  }

  optionalString(): string | undefined {
    return this.uint() === 0 ? undefined : this.string()
  }

  /** A list with its count before it. */
  list<T>(item: (reader: XdrReader) => T): T[] {
    const count = this.uint()
    // Every item takes four bytes at least: a count beyond that is a broken frame, not a reason to allocate.
    if (count * 4 > this.#buffer.length - this.#position) {
      throw new XdrError(`Cannot read a list of ${count}: ${this.#buffer.length - this.#position} bytes are left`)
    }
    return Array.from({ length: count }, () => item(this))
  }
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4
}
