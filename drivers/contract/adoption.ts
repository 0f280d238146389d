import type { MachineDefinition } from './facts.ts'

/**
 * The first field in which a machine that is to be taken over really differs from what is described; undefined where it
 * does not. Names of disks and NICs, the network that a segment belongs to, addresses, the clock rate and the guest's name
 * are ours to give: only what the machine runs with counts. By `AdoptMachine`, and before it is asked for.
 */
export function adoptionObstacle(described: MachineDefinition, found: MachineDefinition): string | undefined {
  const facts = [
    ['cores', String(described.cores), String(found.cores)],
    ['memory', `${described.memoryBytes} bytes`, `${found.memoryBytes} bytes`],
    ['disks', disksOf(described), disksOf(found)],
    ['NICs', nicsOf(described), nicsOf(found)],
  ] as const
  const other = facts.find(([, wish, seen]) => wish !== seen)
  return other && `its ${other[0]} are described as ${other[1]} and are ${other[2]}`
}

function disksOf({ disks }: MachineDefinition): string {
  return told(disks.map(({ identity }) => identity))
}

function nicsOf({ nics }: MachineDefinition): string {
  return told(
    nics.map(({ macAddress, segment: { isolation, id, label } }) => {
      const segment = isolation === 'None' ? label : `${label} ${isolation} ${id}`
      return `${macAddress.toLowerCase()} in ${segment}`
    }),
  )
}

function told(texts: readonly string[]): string {
  return texts.toSorted().join(', ') || 'none'
}
