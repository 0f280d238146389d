import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A requirement of the catalogue, without its sentence. */
export interface Requirement {
  /** `INF-040`. */
  readonly id: string
  /** `INF`. */
  readonly area: string
  /** `core`, `api`, `ops`, `ui`, `device`, `out` or `driver:…`. */
  readonly tag: string
  /** The heading that it stands under. */
  readonly heading: string
}

/** The areas whose core requirements the page lists, with what each is about. */
export const areas: Readonly<Record<string, string>> = {
  INF: 'Infrastructure',
  HST: 'Hosts',
  OFF: 'Offerings',
  VM: 'Virtual machines',
  TPL: 'Templates',
  STO: 'Storage',
  SYS: 'System VMs',
  NET: 'Networks',
}

/** The core requirements of the listed areas, in their order; undefined where the catalogue is not on this machine. */
export function readCatalogue(folder: string): readonly Requirement[] | undefined {
  const names = namesIn(folder)?.filter(name => name.endsWith('.md') && name !== 'README.md')
  const all = names?.flatMap(name => requirementsOf(readFileSync(join(folder, name), 'utf8')))
  return all?.filter(({ area, tag }) => tag === 'core' && areas[area] !== undefined).sort(byAreaAndId)
}

/** The requirements of one file of the catalogue. */
export function requirementsOf(text: string): readonly Requirement[] {
  let heading = ''
  return text.split('\n').flatMap(line => {
    heading = /^#{2,4} (.*)/.exec(line)?.[1] ?? heading
    const [, area, number, tag] = /^- \*\*([A-Z]{2,3})-(\d{3})\*\* \[([^\]]+)\]/.exec(line) ?? []
    if (area === undefined || number === undefined || tag === undefined) return []
    return [{ id: `${area}-${number}`, area, tag, heading }]
  })
}

function namesIn(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
  } catch {
    return undefined
  }
}

function byAreaAndId(left: Requirement, right: Requirement): number {
  const order = Object.keys(areas)
  return order.indexOf(left.area) - order.indexOf(right.area) || (left.id < right.id ? -1 : 1)
}
