/** An error that a person can mend: it is shown as one line, without a stack, and the command ends with 1. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** What any error says, on one line. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/\s*\n\s*/g, ' ')
}

/** Whether an error tells of a mistake in the program, and not of its surroundings: then its stack is of use. */
export function isMistake(error: unknown): boolean {
  if (!(error instanceof Error)) return true
  if ('code' in error) return false
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError
}
