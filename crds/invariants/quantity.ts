/** Quantities as Kubernetes writes them: `512Mi`, `20Gi`, `200M`, `1500m`. */

const factors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
}

const binaryUnits = ['Pi', 'Ti', 'Gi', 'Mi', 'Ki']

/**
 * The number that a quantity stands for, in units (bytes for sizes); fractions stay.
 * @throws RangeError when the text is no quantity.
 */
export function parseQuantity(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/.exec(text)
  if (match === null) {
    throw new RangeError(`Cannot read the quantity '${text}': it must look like 512Mi, 20Gi or 1500m`)
  }
  const [, whole = '', fraction = '', suffix = ''] = match
  // Whole numbers as long as can be: 1.1 × 10^6 is not 1100000 in binary fractions, 11 × 10^6 / 10 is.
  const scale = suffix === 'm' ? 1000 : 1
  return (Number(whole + fraction) * (factors[suffix] ?? 1)) / scale / 10 ** fraction.length
}

/**
 * The number of bytes that a quantity stands for, rounded up to whole ones as Kubernetes does.
 * @throws RangeError when the text is no quantity.
 */
export function parseBytes(text: string): number {
  return Math.ceil(parseQuantity(text))
}

/**
 * A number as a quantity. 'Bytes' takes the largest binary unit that leaves no fraction (`20Gi`), 'Count' none.
 * Fractions are rounded up.
 */
export function formatQuantity(value: number, unit: 'Bytes' | 'Count'): string {
  const whole = Math.ceil(value)
  if (unit === 'Count' || whole === 0) return String(whole)
  const suffix = binaryUnits.find(candidate => whole % (factors[candidate] ?? 1) === 0) ?? ''
  return `${whole / (factors[suffix] ?? 1)}${suffix}`
}
