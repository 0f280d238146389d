/** Kubernetes' quantities (`512Mi`, `1.5`, `100m`) in CEL. */

import type { Environment } from '@marcbachmann/cel-js'

const sync = { async: false }

// Kubernetes keeps nine digits after the point and rounds away from zero.
const scale = 9
const one = 10n ** BigInt(scale)

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binarySuffixes: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

/** A quantity, exact to a billionth. */
class Quantity {
  readonly billionths: bigint
  /** Kept with decimals of any length: Kubernetes does not make an integer of such a one, whatever it is. */
  readonly isDecimal: boolean

  constructor(billionths: bigint, isDecimal = false) {
    this.billionths = billionths
    this.isDecimal = isDecimal
  }

  equals(other: unknown): boolean {
    return other instanceof Quantity && other.billionths === this.billionths
  }

  get isInteger(): boolean {
    const whole = this.billionths / one
    return !this.isDecimal && this.billionths % one === 0n && whole >= -(2n ** 63n) && whole < 2n ** 63n
  }

  plus(billionths: bigint, isDecimal: boolean): Quantity {
    return new Quantity(this.billionths + billionths, this.isDecimal || isDecimal)
  }
}

function read(text: string): Quantity | undefined {
  const parts = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)?|[eE]([+-]?\d{1,3}))$/.exec(text)
  if (!parts) return undefined
  const [, sign, number = '0', suffix = '', exponentText] = parts
  const [whole = '', fraction = ''] = number.split('.')
  const binary = binarySuffixes[suffix]
  const exponent = exponentText === undefined ? (decimalSuffixes[suffix] ?? 0) : Number(exponentText)
  const shift = scale + exponent - fraction.length
  let billionths = BigInt(whole + fraction) * 2n ** (binary ?? 0n)
  if (shift >= 0) {
    billionths *= 10n ** BigInt(shift)
  } else {
    const divisor = 10n ** BigInt(-shift)
    billionths = (billionths + divisor - 1n) / divisor
  }
  const digits = whole.replace(/^0+/, '').length
  const room =
    binary === undefined ? 18 - digits - fraction.length : 14 - digits - Math.floor((Number(binary) * 3) / 10)
  const isDecimal = room < 0 || shift < 0 || (binary !== undefined && fraction !== '')
  return new Quantity(sign === '-' ? -billionths : billionths, isDecimal)
}

/** The shape of quantities as Kubernetes' message has it. */
const shape = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'

function parse(text: string): Quantity {
  const quantity = read(text)
  if (quantity) return quantity
  const isShaped = new RegExp(shape).test(text) && /^[+-]?(?:\d+\.?\d*|\.\d+)(?![\d.])/.test(text)
  throw new TypeError(
    isShaped ? "unable to parse quantity's suffix" : `quantities must match the regular expression '${shape}'`,
  )
}

function asInteger(quantity: Quantity): bigint {
  if (!quantity.isInteger) throw new RangeError('cannot convert value to integer')
  return quantity.billionths / one
}

function compare(a: Quantity, b: Quantity): bigint {
  if (a.billionths === b.billionths) return 0n
  return a.billionths < b.billionths ? -1n : 1n
}

/** Adds `quantity`, `isQuantity` and their methods. */
export function addQuantities(environment: Environment): void {
  const type = 'kubernetes.Quantity'
  environment
    .registerType(type, Quantity)
    .registerOperator(`${type} == ${type}`, (a: Quantity, b: Quantity) => a.equals(b))
    .registerFunction('isQuantity(string): bool', (text: string) => read(text) !== undefined, sync)
    .registerFunction(`quantity(string): ${type}`, parse, sync)
    .registerFunction(`${type}.isInteger(): bool`, (quantity: Quantity) => quantity.isInteger, sync)
    .registerFunction(`${type}.asInteger(): int`, asInteger, sync)
    .registerFunction(
      `${type}.asApproximateFloat(): double`,
      (quantity: Quantity) => Number(quantity.billionths) / Number(one),
      sync,
    )
    .registerFunction(`sign(${type}): int`, (quantity: Quantity) => compare(quantity, new Quantity(0n)), sync)
    .registerFunction(`${type}.compareTo(${type}): int`, compare, sync)
    .registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => compare(a, b) > 0n, sync)
    .registerFunction(`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => compare(a, b) < 0n, sync)
    .registerFunction(
      `${type}.add(${type}): ${type}`,
      (a: Quantity, b: Quantity) => a.plus(b.billionths, b.isDecimal),
      sync,
    )
    .registerFunction(`${type}.add(int): ${type}`, (a: Quantity, b: bigint) => a.plus(b * one, false), sync)
    .registerFunction(
      `${type}.sub(${type}): ${type}`,
      (a: Quantity, b: Quantity) => a.plus(-b.billionths, b.isDecimal),
      sync,
    )
    .registerFunction(`${type}.sub(int): ${type}`, (a: Quantity, b: bigint) => a.plus(-b * one, false), sync)
}
