/** Reads doc comments as the generator understands them: a description, then block tags, each on a line of its own. */
import type { JSDocableNode, Node } from 'ts-morph'

/** A place in a source file. */
export interface Place {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

/** A block tag: `@minimum 1`. */
export interface DocTag {
  readonly name: string
  /** Everything after the name, lines joined by spaces; '' where there is nothing. */
  readonly text: string
  readonly place: Place
}

/** A doc comment. */
export interface DocComment {
  /** The text before the first tag, lines joined by spaces. */
  readonly description: string
  readonly tags: readonly DocTag[]
}

/** What the generator cannot go on with: `file:line: message`. */
export class GenerationError extends Error {
  readonly place: Place

  constructor(place: Place, message: string) {
    super(`${place.file}:${place.line}: ${message}`)
    this.name = 'GenerationError'
    this.place = place
  }
}

/** Where a node begins, its doc comment left aside. */
export function placeOf(node: Node): Place {
  return { file: node.getSourceFile().getFilePath(), line: node.getStartLineNumber(false) }
}

/** Ends the generation: the source at that place is not understood. */
export function fail(at: Place, message: string): never {
  throw new GenerationError(at, message)
}

/** The doc comment nearest to a declaration; undefined where it has none. */
export function docCommentOf(node: JSDocableNode & Node): DocComment | undefined {
  const comment = node.getJsDocs().at(-1)
  if (comment === undefined) return undefined
  return parseDocComment(comment.getText(), {
    file: comment.getSourceFile().getFilePath(),
    line: comment.getStartLineNumber(),
  })
}

/**
 * Parses the text of a doc comment that begins at a place. The compiler's own parser is not asked: it drops the text
 * of tags that it takes for its own.
 */
export function parseDocComment(text: string, start: Place): DocComment {
  const lines = text
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, '').trim())
  const description: string[] = []
  const tags: { name: string; text: string[]; place: Place }[] = []
  lines.forEach((line, index) => {
    const tag = /^@([A-Za-z]+)(?:\s+(.*))?$/.exec(line)
    if (tag?.[1] !== undefined) {
      tags.push({ name: tag[1], text: [tag[2] ?? ''], place: { file: start.file, line: start.line + index } })
      return
    }
    const target = tags.at(-1)?.text ?? description
    if (line !== '') target.push(line)
  })
  return {
    description: description.join(' '),
    // A comment cannot hold the two characters that end it, so patterns write a slash after a star as \/.
    tags: tags.map(tag => ({ ...tag, text: tag.text.join(' ').trim().replaceAll('\\/', '/') })),
  }
}
