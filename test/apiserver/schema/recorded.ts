import { readFileSync } from 'node:fs'

/**
 * The lines of a file of recorded answers. They were taken from Kubernetes' own packages (apiextensions-apiserver and
 * apimachinery 0.32.4) for inputs drawn at random.
 */
export function recordedLines(directory: string, name: string): readonly string[] {
  return readFileSync(`${directory}/${name}`, 'utf8').trimEnd().split('\n')
}
