import { machinesPlan } from './plan-machines.ts'
import { networksPlan } from './plan-networks.ts'
import { placesPlan } from './plan-places.ts'
import { storagePlan } from './plan-storage.ts'
import type { AreaPlan, Planned } from './planned.ts'

/** What is planned, by area. */
export const plan: Readonly<Record<string, AreaPlan>> = {
  ...placesPlan,
  ...machinesPlan,
  ...storagePlan,
  ...networksPlan,
}

/** The verdict on a requirement. Throws where the plan does not mention it. */
export function verdictOf(area: string, heading: string, id: string): Planned {
  const areaPlan = plan[area]
  const number = Number(id.slice(-3))
  const single = Object.entries(areaPlan?.ids ?? {}).find(([range]) => holds(range, number))
  const found = single?.[1] ?? areaPlan?.headings[heading]
  if (found === undefined) throw new Error(`Cannot place ${id}: tools/coverage/plan-*.ts have nothing on "${heading}"`)
  return found
}

/** Whether a list of numbers and ranges (`012, 020-024`) holds a number. */
export function holds(ranges: string, number: number): boolean {
  return ranges.split(', ').some(range => {
    const [first = '', last = first] = range.split('-')
    return number >= Number(first) && number <= Number(last)
  })
}
