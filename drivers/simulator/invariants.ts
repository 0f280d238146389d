import type { NetworkSegment } from '../contract/facts.ts'
import { Holders } from './holders.ts'
import type { SimulatedMachine } from './places.ts'

/** Something that must never be, and was. */
export interface Violation {
  readonly rule: 'RunsTwice' | 'VolumeWrittenTwice' | 'MACTwice' | 'AddressTwice'
  /** Two machines and what they share, for people. */
  readonly message: string
}

const keptViolations = 1000

/**
 * Watches machines as they begin to run, and remembers every breach of what must hold at every instant. Nothing is
 * prevented: whether the control plane prevents it is what is being tested.
 */
export class Invariants {
  readonly #running = new Holders<string, SimulatedMachine>()
  readonly #volumes = new Holders<string, SimulatedMachine>()
  readonly #macAddresses = new Holders<string, SimulatedMachine>()
  readonly #addresses = new Map<string, Holders<string, SimulatedMachine>>()
  readonly #violations = new Map<string, Violation>()

  /** The first 1000 breaches since the simulator was made, oldest first, each once. */
  violations(): readonly Violation[] {
    return [...this.#violations.values()]
  }

  /** A machine runs now, or runs with other disks and NICs than before. */
  entered(machine: SimulatedMachine): void {
    const definition = machine.active ?? machine.facts.definition
    for (const other of this.#running.add(machine.identity, machine)) {
      this.#report('RunsTwice', `${describe(machine)} runs also on ${other.host.name}`)
    }
    for (const disk of definition.disks) {
      for (const other of this.#volumes.add(disk.identity, machine)) {
        this.#report(
          'VolumeWrittenTwice',
          `${describe(machine)} writes volume ${disk.identity} as does ${describe(other)}`,
        )
      }
    }
    for (const nic of definition.nics) {
      for (const other of this.#macAddresses.add(nic.macAddress, machine)) {
        const segment = segmentKey(nic.segment)
        const shares = other.active?.nics.some(
          each => each.macAddress === nic.macAddress && segmentKey(each.segment) === segment,
        )
        if (shares)
          this.#report('MACTwice', `${describe(machine)} has ${nic.macAddress} in ${segment} as has ${describe(other)}`)
      }
      for (const address of nic.addresses) {
        for (const other of this.#addressesOf(nic.segment.network).add(address, machine)) {
          this.#report(
            'AddressTwice',
            `${describe(machine)} has ${address} in network ${nic.segment.network} as has ${describe(other)}`,
          )
        }
      }
    }
  }

  /** A machine no longer runs, or is about to run with other disks and NICs. */
  left(machine: SimulatedMachine): void {
    const definition = machine.active ?? machine.facts.definition
    this.#running.remove(machine.identity, machine)
    for (const disk of definition.disks) this.#volumes.remove(disk.identity, machine)
    for (const nic of definition.nics) {
      this.#macAddresses.remove(nic.macAddress, machine)
      const addresses = this.#addresses.get(nic.segment.network)
      for (const address of nic.addresses) addresses?.remove(address, machine)
      if (addresses?.size === 0) this.#addresses.delete(nic.segment.network)
    }
  }

  #addressesOf(network: string): Holders<string, SimulatedMachine> {
    const found = this.#addresses.get(network)
    if (found !== undefined) return found
    const made = new Holders<string, SimulatedMachine>()
    this.#addresses.set(network, made)
    return made
  }

  #report(rule: Violation['rule'], message: string): void {
    if (this.#violations.size < keptViolations && !this.#violations.has(message))
      this.#violations.set(message, { rule, message })
  }
}

function describe(machine: SimulatedMachine): string {
  return `machine ${machine.identity} on ${machine.host.name}`
}

function segmentKey(segment: NetworkSegment): string {
  return segment.id === undefined ? segment.label : `${segment.label} ${segment.isolation} ${segment.id}`
}
