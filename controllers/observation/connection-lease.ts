import type { Connection } from '../../drivers/contract/driver.ts'

/** A connection that is closed only when its last user is done: giving it up never cuts off a call under way. */
export class ConnectionLease {
  readonly connection: Connection
  readonly #closeFailed: (error: unknown) => void
  #users = 0
  #subscription: Disposable | undefined
  #retired = false
  #closing: Promise<void> | undefined

  /** `closeFailed` hears why closing went wrong; nothing else depends on it. */
  constructor(connection: Connection, closeFailed: (error: unknown) => void) {
    this.connection = connection
    this.#closeFailed = closeFailed
  }

  /** Keeps a subscription for as long as the connection is in use. */
  hold(subscription: Disposable | undefined): void {
    this.#subscription = subscription
  }

  /** Runs a call on the connection. */
  async use<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    this.#users += 1
    try {
      return await call(this.connection)
    } finally {
      this.#users -= 1
      if (this.#retired && this.#users === 0) this.#close()
    }
  }

  /** Listens no longer, and closes as soon as nobody uses it. Resolves when it is closed, or its users are not done yet. */
  async retire(): Promise<void> {
    this.#retired = true
    this.#subscription?.[Symbol.dispose]()
    this.#subscription = undefined
    if (this.#users === 0) this.#close()
    await this.#closing
  }

  #close(): void {
    this.#closing ??= closeQuietly(this.connection, this.#closeFailed)
  }
}

async function closeQuietly(connection: Connection, failed: (error: unknown) => void): Promise<void> {
  try {
    await connection[Symbol.asyncDispose]()
  } catch (error) {
    failed(error)
  }
}
