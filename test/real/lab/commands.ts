import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Which of these programs are not on this machine's path. */
export function commandsMissing(commands: readonly string[]): readonly string[] {
  const places = (process.env.PATH ?? '').split(':')
  return commands.filter(command => !places.some(place => existsSync(join(place, command))))
}
