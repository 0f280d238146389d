/** An error that a person can mend: it is shown as one line, without a stack, and the command ends with 1. */
export class UserError extends Error {
  override readonly name = 'UserError'
}
