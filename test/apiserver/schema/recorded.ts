import { readFileSync } from 'node:fs'

/** The lines of a file of recorded answers, taken from kube-apiserver v1.36.3: `npm run record:reference` takes them again. */
export function recordedLines(directory: string, name: string): readonly string[] {
  return readFileSync(`${directory}/${name}`, 'utf8').trimEnd().split('\n')
}
