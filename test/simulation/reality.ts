/**
 * Keeps the real world out of a simulation: while one runs, no real timer, clock, socket or random number is at hand,
 * and immediates are run in order by the simulation itself.
 */
import crypto from 'node:crypto'
import net from 'node:net'

/** A call that a simulation must not make, and where from. */
export interface Escape {
  readonly what: string
  readonly stack: string
}

interface Member {
  readonly holder: object
  readonly name: string
}

const realImmediate = setImmediate

/** What a process has of time and chance; a simulation puts its own in their place. */
export interface Substitute {
  /** Wall clock, in ms since the Unix epoch. */
  now(): number
  /** Monotonic clock, in ms. */
  monotonic(): number
  /** A number from 0 to 1. */
  chance(): number
}

/** Everything else that reaches outside: forbidden. */
const members: readonly (Member & { readonly what: string })[] = [
  { holder: crypto, name: 'randomUUID', what: 'crypto.randomUUID' },
  { holder: crypto, name: 'randomBytes', what: 'crypto.randomBytes' },
  { holder: crypto, name: 'randomFillSync', what: 'crypto.randomFillSync' },
  { holder: globalThis.crypto, name: 'randomUUID', what: 'crypto.randomUUID' },
  { holder: globalThis.crypto, name: 'getRandomValues', what: 'crypto.getRandomValues' },
  { holder: globalThis, name: 'setTimeout', what: 'setTimeout' },
  { holder: globalThis, name: 'setInterval', what: 'setInterval' },
  { holder: AbortSignal, name: 'timeout', what: 'AbortSignal.timeout' },
  { holder: globalThis, name: 'fetch', what: 'fetch' },
  { holder: net.Socket.prototype, name: 'connect', what: 'a socket' },
  { holder: net.Server.prototype, name: 'listen', what: 'a listening socket' },
]

let waiting: (() => void)[] = []

/** Runs everything that follows from what has just happened: microtasks and immediates, until there are none. */
export async function settled(): Promise<void> {
  do {
    const due = waiting
    waiting = []
    for (const run of due) run()
    await new Promise<void>(resolve => realImmediate(resolve))
  } while (waiting.length > 0)
}

/**
 * Runs something with nothing real at hand: clocks and chance answer with the substitute's, immediates wait for
 * `settled`. What reaches farther out from files of ours throws, and is noted in `escapes`; the machinery around (a
 * test runner's timers) is let through.
 */
export async function withoutReality<T>(
  substitute: Substitute,
  run: () => Promise<T>,
): Promise<{ result: T; escapes: readonly Escape[] }> {
  const escapes: Escape[] = []
  const restore = [
    ...members.map(member => forbid(member, escapes)),
    exchange(globalThis, 'Date', substituteDate(substitute)),
    exchange(performance, 'now', () => substitute.monotonic()),
    exchange(Math, 'random', () => substitute.chance()),
    exchange(
      process,
      'hrtime',
      Object.assign(() => hrtime(substitute), { bigint: () => nanoseconds(substitute) }),
    ),
    exchange(globalThis, 'setImmediate', (action: (...given: unknown[]) => void, ...given: unknown[]) => {
      waiting.push(() => action(...given))
    }),
  ]
  try {
    return { result: await run(), escapes }
  } finally {
    for (const undo of restore.toReversed()) undo()
    for (const left of waiting.splice(0)) realImmediate(left)
  }
}

/** A Date that knows only the substitute's now. */
function substituteDate({ now }: Substitute): DateConstructor {
  return new Proxy(Date, {
    construct: (target, given) => Reflect.construct(target, given.length === 0 ? [now()] : given),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
}

function nanoseconds({ monotonic }: Substitute): bigint {
  return BigInt(Math.round(monotonic() * 1e6))
}

function hrtime(substitute: Substitute): [number, number] {
  const milliseconds = substitute.monotonic()
  return [Math.floor(milliseconds / 1000), Math.round((milliseconds % 1000) * 1e6)]
}

function forbid({ holder, name, what }: Member & { readonly what: string }, escapes: Escape[]): () => void {
  const real = Reflect.get(holder, name) as (...given: unknown[]) => unknown
  return exchange(holder, name, function (this: unknown, ...given: unknown[]) {
    const stack = new Error(what).stack ?? ''
    if (!isOurs(stack)) return Reflect.apply(real, this, given)
    escapes.push({ what, stack })
    throw new Error(`Cannot use ${what}: a simulation has only its own time and chance`)
  })
}

/** Whether the code under simulation is among the callers. */
function isOurs(stack: string): boolean {
  const callers = stack.split('\n').slice(2)
  return callers.some(line => /\/(apiserver|controllers|crds|drivers|reconcilers)\//.test(line))
}

function exchange(holder: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, name)
  Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(holder, name)
    else Object.defineProperty(holder, name, before)
  }
}
