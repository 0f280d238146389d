import { sleep } from '../../crds/environment.ts'
import type { CallOptions, Connection, InventoryEvent, LifeQuery, SignOfLife } from '../contract/driver.ts'
import type { Endpoint } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import type { Inventory } from '../contract/facts.ts'
import type { Answer, Operation, Verb } from '../contract/operation.ts'
import { carryOut, servedBy } from './effects.ts'
import { declare, listing, reach } from './endpoints.ts'
import type { Fault } from './faults.ts'
import type { Simulation } from './guests.ts'
import type { Place, Subscription } from './places.ts'
import { signOfLife } from './silence.ts'
import { duration } from './timing.ts'
import { wrongAnswer } from './wrong-answer.ts'

/** One call on its way to a place and back. */
interface Exchange<T> {
  readonly verb: Verb | 'Inventory' | 'SignOfLife'
  readonly identity: string | undefined
  readonly operationId: string | undefined
  /** What happens at the place, at one instant. Throws `DriverError`. */
  readonly effect: (place: Place) => T
  /** What a lying place answers; called before the effect, it answers what to say after it. */
  readonly lie: (place: Place) => (truth: T) => T
}

/** A connection of the simulator's driver to one endpoint. */
export class SimulatedConnection implements Connection {
  readonly #simulation: Simulation
  readonly #endpoint: Endpoint
  readonly #subscriptions = new Map<Subscription, Place>()
  readonly #calls = new Set<(error: DriverError) => void>()
  #open = true

  constructor(simulation: Simulation, endpoint: Endpoint) {
    this.#simulation = simulation
    this.#endpoint = endpoint
    declare(simulation.state, endpoint)
    simulation.state.keep()
  }

  inventory(options: CallOptions): Promise<Inventory> {
    return this.#call(options.signal, {
      verb: 'Inventory',
      identity: undefined,
      operationId: options.operationId,
      effect: place => listing(this.#simulation.state, place),
      lie: () => {
        throw new DriverError('Internal', 'Cannot list everything: the listing broke off')
      },
    })
  }

  perform<V extends Verb>(asked: Operation<V>, options: CallOptions): Promise<Answer<V>> {
    const { state } = this.#simulation
    // One of the union: the compiler cannot see it while the verb is open.
    const operation = asked as Operation
    const identity = operation.identity
    const { operationId } = options
    const caller = { installation: options.installation, operationId, endpoint: this.#endpoint.key }
    const effect = (place: Place) => {
      const version = state.version
      let outcome = 'Done'
      try {
        return carryOut(this.#simulation, place, operation, caller)
      } catch (error) {
        outcome = error instanceof DriverError ? error.code : 'Internal'
        throw error
      } finally {
        state.journal.record({
          source: 'Operation',
          action: operation.verb,
          place: this.#endpoint.key,
          identity,
          ...(operationId === undefined ? {} : { operationId }),
          outcome,
          changed: state.version !== version,
        })
      }
    }
    const lie = (place: Place) => wrongAnswer(state, place, operation)
    const answer = this.#call<Answer>(
      options.signal,
      { verb: operation.verb, identity, operationId, effect, lie },
      () => check(this.#endpoint, operation),
    )
    // The verb decides the answer's type; `carryOut` is what ties them together.
    return answer as Promise<Answer<V>>
  }

  signOfLife(query: LifeQuery, options: CallOptions): Promise<SignOfLife> {
    return this.#call(options.signal, {
      verb: 'SignOfLife',
      identity: undefined,
      operationId: options.operationId,
      effect: place => signOfLife(this.#simulation.state, place, query),
      lie: () => () => ({}),
    })
  }

  subscribe(listener: (event: InventoryEvent) => void): Disposable {
    const { state } = this.#simulation
    state.journal.called('Subscribe')
    const subscription: Subscription = { endpoint: this.#endpoint.key, name: this.#endpoint.name, listener }
    const disposable = { [Symbol.dispose]: () => this.#unsubscribe(subscription) }
    try {
      const place = reach(state, this.#endpoint)
      place.subscriptions.add(subscription)
      this.#subscriptions.set(subscription, place)
    } catch (error) {
      // Nothing to listen to: told like any other loss of the connection, after the caller has its disposable.
      const message = error instanceof Error ? error.message : String(error)
      queueMicrotask(() => listener({ event: 'Disconnected', message }))
    }
    return disposable
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false
    for (const subscription of [...this.#subscriptions.keys()]) this.#unsubscribe(subscription)
    for (const fail of [...this.#calls]) {
      fail(new DriverError('Aborted', 'Cannot hear the answer: the connection was closed', { inDoubt: true }))
    }
  }

  #unsubscribe(subscription: Subscription): void {
    this.#subscriptions.get(subscription)?.subscriptions.delete(subscription)
    this.#subscriptions.delete(subscription)
  }

  /** The caller's side: it stops waiting on an abort, on a broken connection and on the end of this one. */
  #call<T>(signal: AbortSignal, exchange: Exchange<T>, validate?: () => void): Promise<T> {
    const { state } = this.#simulation
    state.journal.called(exchange.verb)
    return new Promise<T>((resolve, reject) => {
      if (!this.#open) throw new DriverError('Unavailable', `Cannot ${exchange.verb}: the connection is closed`)
      if (signal.aborted) throw new DriverError('Aborted', `Cannot ${exchange.verb}: the caller has given up already`)
      validate?.()
      const place = reach(state, this.#endpoint)
      const settle = () => {
        signal.removeEventListener('abort', abort)
        place.calls.delete(fail)
        this.#calls.delete(fail)
      }
      const fail = (error: unknown) => {
        settle()
        reject(error)
      }
      const abort = () => fail(new DriverError('Timeout', `Cannot wait for ${exchange.verb} any longer`))
      signal.addEventListener('abort', abort, { once: true })
      place.calls.add(fail)
      this.#calls.add(fail)
      this.#exchange(place, exchange).then(answer => {
        settle()
        resolve(answer)
      }, fail)
    })
  }

  /** The place's side. It goes on whether or not anybody still waits. */
  async #exchange<T>(place: Place, exchange: Exchange<T>): Promise<T> {
    const { state, timing, random } = this.#simulation
    const { clock } = state
    const milliseconds = duration(timing, exchange.verb, random)
    const fault = state.faults.take({
      verb: exchange.verb,
      endpoint: this.#endpoint.key,
      name: this.#endpoint.name,
      ...(exchange.identity === undefined ? {} : { identity: exchange.identity }),
    })
    const after = fault?.when === 'After'
    const { powerLosses } = place
    const job = startJob(place, exchange, fault)
    const endJob = () => {
      if (job !== undefined) place.jobs.delete(job)
    }
    // Nothing is worked on at a place that hears nothing more of it: such a call never ends.
    if (fault?.effect === 'Hang' && !after) endJob()
    try {
      if (milliseconds > 0) await sleep(clock, milliseconds / 2)
      if (fault !== undefined && !after) await this.#meet(fault, exchange.verb)
      if (place.state === 'Frozen') endJob()
      if (place.state !== 'Answering') await admission(place, exchange.verb)
      if (place.powerLosses !== powerLosses) throw connectionBroken(exchange.verb)
      if (state.failure !== undefined) throw state.failure
      let answer = this.#effect(place, exchange, fault)
      if (state.durable) await state.commit()
      endJob()
      if (milliseconds > 0) await sleep(clock, milliseconds / 2)
      if (fault !== undefined && after) await this.#meet(fault, exchange.verb)
      // The answer of a place that froze meanwhile is lost; one that lost its power has failed the call already.
      if (place.state === 'Frozen') await never()
      if (fault?.effect === 'Duplicate') answer = await this.#again(place, exchange, fault, answer)
      return answer
    } finally {
      endJob()
    }
  }

  #effect<T>(place: Place, exchange: Exchange<T>, fault: Fault | undefined): T {
    if (fault?.effect !== 'WrongAnswer') return exchange.effect(place)
    const say = exchange.lie(place)
    return say(exchange.effect(place))
  }

  async #meet(fault: Fault, verb: string): Promise<void> {
    if (fault.effect === 'Delay') return sleep(this.#simulation.state.clock, fault.milliseconds ?? 0)
    if (fault.effect === 'Hang') return never()
    if (fault.effect === 'LoseReply') {
      throw connectionBroken(verb)
    }
    if (fault.effect === 'Fail') {
      throw new DriverError(fault.code ?? 'Internal', `Cannot ${verb}: a scripted fault says so`, {
        inDoubt: fault.when === 'After',
      })
    }
  }

  /** The same request once more: at once, which the caller waits for, or later, behind its back. */
  async #again<T>(place: Place, exchange: Exchange<T>, fault: Fault, answer: T): Promise<T> {
    const { state } = this.#simulation
    const milliseconds = fault.milliseconds ?? 0
    if (milliseconds === 0) {
      const second = exchange.effect(place)
      await state.commit()
      return second
    }
    state.clock.after(milliseconds, () => {
      if (place.state !== 'Answering') return
      try {
        exchange.effect(place)
      } catch {
        // Nobody waits for the second answer; the journal has it.
      }
      state.keep()
    })
    return answer
  }
}

/** Long work is listed while it is under way: what is long by nature, and what a fault makes long. */
function startJob<T>(place: Place, exchange: Exchange<T>, fault: Fault | undefined): string | undefined {
  const { operationId, identity, verb } = exchange
  if (operationId === undefined || identity === undefined) return undefined
  if (verb !== 'StoreImage' && verb !== 'CreateVolume' && fault?.effect !== 'Delay') return undefined
  place.jobs.set(operationId, { operationId, targets: [identity], progressPercent: 0 })
  return operationId
}

/** Resolves when a frozen place takes the request after all; throws where connections are refused. */
function admission(place: Place, verb: string): Promise<void> {
  if (place.state === 'Down') {
    throw new DriverError('Unavailable', `Cannot ${verb} at ${place.key}: connection refused`)
  }
  return new Promise(resolve => {
    place.waiting.add(resolve)
  })
}

function connectionBroken(verb: string): DriverError {
  return new DriverError('Unavailable', `Cannot hear the answer to ${verb}: the connection broke`, { inDoubt: true })
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}

function check(endpoint: Endpoint, operation: Operation): void {
  const type = servedBy[operation.verb]
  if (type !== endpoint.configuration.type) {
    const here = endpoint.configuration.type
    throw new DriverError('Unsupported', `Cannot carry out ${operation.verb}: the endpoint is a ${here}, not a ${type}`)
  }
  if (operation.endpoint !== endpoint.key) {
    throw new DriverError(
      'InvalidArgument',
      `Cannot carry out ${operation.verb}: it is for ${operation.endpoint}, this is ${endpoint.key}`,
    )
  }
  const inner = 'identity' in operation.arguments ? operation.arguments.identity : operation.identity
  if (operation.identity === '' || inner !== operation.identity) {
    throw new DriverError('InvalidArgument', `Cannot carry out ${operation.verb}: its identities differ`)
  }
}
