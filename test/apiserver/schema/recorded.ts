import { readFileSync } from 'node:fs'

/**
 * The lines of a file of recorded answers. They were taken from Kubernetes' own packages (apiextensions-apiserver and
 * apimachinery 0.32.4) for inputs drawn at random. Messages, ranges of numbers and what a schema may say have been
 * brought to 0.36 since.
 */
export function recordedLines(directory: string, name: string): readonly string[] {
  return readFileSync(`${directory}/${name}`, 'utf8').trimEnd().split('\n')
}
