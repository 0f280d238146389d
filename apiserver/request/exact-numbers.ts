/** Whole numbers that are not kept to the digit here: what is stored must be what was given. */

/** Every text that holds one matches: few others do. */
const longNumber = /(?:^|[\s:,[{-])\d{16}/
const wholeNumber = /^-?\d{16,19}$/
/** Beyond them a number is no integer of 64 bits: Kubernetes itself rounds it. */
const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n]

/** Whether a text may hold a number that would lose digits. */
export function mayLoseDigits(text: string): boolean {
  return longNumber.test(text)
}

/**
 * Throws an Error where a number, as it is written, would become another. `name` is the member that holds it, '' for none.
 */
export function checkDigits(source: string, name: string): void {
  if (!wholeNumber.test(source)) return
  const whole = BigInt(source)
  if (whole < least || whole > most || whole === BigInt(Number(source))) return
  const where = name === '' ? '' : ` of ${JSON.stringify(name)}`
  throw new Error(
    `the number ${source}${where} would lose digits: beyond ${Number.MAX_SAFE_INTEGER} give it as a text, or rounded`,
  )
}
