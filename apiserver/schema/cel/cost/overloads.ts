/** Which of the overloads of a function a call may mean, where they cost differently. */

import type { Type } from '../macros.ts'
import type { Call } from './expression.ts'

/** Names of overloads, `other` where it does not matter which. Several where types are not known before it runs. */
export function overloadsOf({ name, target, args }: Call): readonly string[] {
  const [first, second] = args
  switch (name) {
    case '_+_':
      return fitting(['string', 'bytes', 'list'], first, second)
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return fitting(['string', 'bytes'], first, second)
    case '_[_]':
      return fitting(['list', 'map'], first)
    case '@in':
      return fitting(['list', 'map'], second)
    case 'string':
      return fitting(['bytes'], first)
    case 'bytes':
      return fitting(['string'], first)
    case 'containsIP':
    case 'containsCIDR':
      return fitting(['string'], first)
    case 'sort':
      return [target?.type.valueType?.name ?? 'dyn']
    case '@sortByAssociatedKeys':
      return [first?.type.valueType?.name ?? 'dyn']
    default:
      return ['other']
  }
}

/** Those kinds that all operands may be of, and `other` where they may be of one that is not among these. */
function fitting(kinds: readonly string[], ...operands: readonly ({ readonly type: Type } | undefined)[]) {
  const types = operands.flatMap(operand => (operand === undefined ? [] : [operand.type]))
  const fits = kinds.filter(kind => types.every(type => isOf(type, kind)))
  const isOther = types.every(type => isOpen(type) || !kinds.some(kind => isOf(type, kind)))
  return isOther ? [...fits, 'other'] : fits
}

function isOf(type: Type, kind: string): boolean {
  return isOpen(type) || type.kind === kind || type.name === kind
}

function isOpen({ kind }: Type): boolean {
  return kind === 'dyn' || kind === 'param'
}
