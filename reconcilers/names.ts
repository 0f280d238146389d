/** How many names a message holds. */
const namedAtMost = 5

/** Names for a message, each between quotation marks. */
export function quotedNamesOf(names: readonly string[]): string {
  return namesOf(names.map(name => `"${name}"`))
}

/** Names for a message: the first few, and how many more there are. */
export function namesOf(names: readonly string[]): string {
  const more = names.length > namedAtMost ? ` and ${names.length - namedAtMost} more` : ''
  return `${names.slice(0, namedAtMost).join(', ')}${more}`
}
