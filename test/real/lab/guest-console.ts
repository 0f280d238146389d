import { constants, openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'

/** A line to guests' serial consoles, as a person at a terminal has it. */
export class GuestConsoles implements Disposable {
  readonly #open = new Map<string, ReadStream & { fd: number }>()

  /** Types a line into a pseudo-terminal that QEMU has opened for a guest. */
  type(path: string, line: string): void {
    writeSync(this.#terminal(path).fd, `${line}\n`)
  }

  [Symbol.dispose](): void {
    for (const terminal of this.#open.values()) terminal.destroy()
    this.#open.clear()
  }

  /** Held open, because QEMU listens only while somebody is there, and read, because it waits for its reader. */
  #terminal(path: string): ReadStream & { fd: number } {
    const known = this.#open.get(path)
    if (known !== undefined && !known.destroyed) return known
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
    const terminal = Object.assign(new ReadStream(fd), { fd })
    // The guest went off: its terminal is gone, and the next guest may get one of the same name.
    terminal.on('error', () => terminal.destroy())
    terminal.on('end', () => terminal.destroy())
    terminal.resume()
    this.#open.set(path, terminal)
    return terminal
  }
}
