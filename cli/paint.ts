import picocolors from 'picocolors'
import type { State } from './standing.ts'

/** Colours for a terminal; texts stay as they are elsewhere. */
export type Paint = ReturnType<typeof picocolors.createColors>

/** Colours where the stream is a terminal and the person has not refused them (`NO_COLOR`). */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  return picocolors.createColors(stream.isTTY === true && picocolors.isColorSupported)
}

/** One sign for each state, in its colour. */
export function signOf(state: State, paint: Paint): string {
  return colourOf(state, paint)(signs[state])
}

/** A text in the colour of a state. */
export function colourOf(state: State, paint: Paint): (text: string) => string {
  return {
    Ready: paint.green,
    Stalled: paint.red,
    Unknown: paint.magenta,
    Deleting: paint.gray,
    Working: paint.yellow,
  }[state]
}

const signs: Readonly<Record<State, string>> = { Ready: '✓', Stalled: '✗', Unknown: '?', Deleting: '-', Working: '…' }

/** The lines that fit into so many rows, each cut to the columns; the last row says how many are left out. */
export function fitted(lines: readonly string[], size: { readonly rows: number; readonly columns: number }): string {
  const shown = lines.length <= size.rows ? lines : lines.slice(0, Math.max(0, size.rows - 1))
  const left = lines.length - shown.length
  const texts = shown.map(line => cut(line, size.columns))
  return [...texts, ...(left === 0 ? [] : [`… and ${left} more lines`])].join('\n')
}

/** Everything from one escape character to its `m` is colour, and takes no room. */
const pieces = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m|.`, 'gu')

function cut(line: string, columns: number): string {
  let room = columns
  let text = ''
  for (const [piece] of line.matchAll(pieces)) {
    const isColour = piece.length > 1 && piece.endsWith('m')
    if (!isColour && room-- <= 0) continue
    text += piece
  }
  return text
}
