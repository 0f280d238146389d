/** Lines of a table: a heading in capitals, cells padded to their columns. Empty where there is no row. */
export function columns(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  const widths = heading.map((title, place) => Math.max(title.length, ...rows.map(row => row[place]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join('   ')
      .trimEnd()
  return [line(heading.map(title => title.toUpperCase())), ...rows.map(line)]
}
