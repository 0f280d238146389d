/** Takes the files of a guide from its Markdown: fenced blocks that say `file=…`. */

/** A block of a guide: a new file, or a change of an existing one. */
export interface GuideFile {
  readonly path: string
  readonly language: string
  readonly text: string
}

const fence = /^```(\w+) file=(\S+)\n([\s\S]*?)^```$/gm

/** The files of a guide, in its order. */
export function guideFiles(markdown: string): readonly GuideFile[] {
  return [...markdown.matchAll(fence)].map(([, language = '', path = '', text = '']) => ({ path, language, text }))
}

/** Applies a block of the language `diff`: lines with `+` come after the line before them, which must be there once. */
export function applyDiff(before: string, diff: string): string {
  const lines = before.split('\n')
  let at = -1
  for (const line of diff.split('\n').filter(line => line !== '')) {
    const text = line.slice(1)
    if (line.startsWith('+')) {
      at += 1
      lines.splice(at, 0, text)
      continue
    }
    const found = lines.indexOf(text, at + 1)
    if (found < 0) throw new Error(`Cannot apply the guide's change: the line '${text}' is not there`)
    at = found
  }
  return lines.join('\n')
}
