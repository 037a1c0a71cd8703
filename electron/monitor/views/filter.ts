/** The words of a filter; every one of them must occur in a row's search text. */
export function filterWords(filter: string): string[] {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
}

/** `searchText` is in lower case. */
export function matches(words: readonly string[], searchText: string): boolean {
  for (const word of words) if (!searchText.includes(word)) return false
  return true
}
