/** Kubernetes' rules for names, labels and annotations, each answering with what is wrong in Kubernetes' words. */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const labelPattern = new RegExp(`^${label}$`)
const subdomainPattern = new RegExp(`^${subdomain}$`)
const qualifiedPattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

const labelMessage = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`
const subdomainMessage = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`
const qualifiedMessage = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`
const labelValueMessage = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`

/** Wrongs of a DNS label: at most 63 characters. */
export function labelWrongs(name: string): readonly string[] {
  const wrongs: string[] = []
  if (name.length > 63) wrongs.push('must be no more than 63 bytes')
  if (!labelPattern.test(name)) wrongs.push(labelMessage)
  return wrongs
}

/** Wrongs of a DNS subdomain: at most 253 characters. */
export function subdomainWrongs(name: string): readonly string[] {
  const wrongs: string[] = []
  if (name.length > 253) wrongs.push('must be no more than 253 bytes')
  if (!subdomainPattern.test(name)) wrongs.push(subdomainMessage)
  return wrongs
}

/** Wrongs of a qualified name: `[prefix/]name`, as labels, annotations and finalizers have. */
export function qualifiedNameWrongs(name: string): readonly string[] {
  const parts = name.split('/')
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedMessage.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const wrongs: string[] = []
  const [prefix, plain = ''] = parts.length === 2 ? parts : [undefined, ...parts]
  if (prefix === '') wrongs.push('prefix part must be non-empty')
  else if (prefix !== undefined) wrongs.push(...subdomainWrongs(prefix).map(wrong => `prefix part ${wrong}`))
  if (plain === '') wrongs.push('name part must be non-empty')
  else if (plain.length > 63) wrongs.push('name part must be no more than 63 bytes')
  if (!qualifiedPattern.test(plain)) wrongs.push(qualifiedMessage)
  return wrongs
}

/** Wrongs of a label's value. */
export function labelValueWrongs(value: string): readonly string[] {
  const wrongs: string[] = []
  if (value.length > 63) wrongs.push('must be no more than 63 bytes')
  if (!labelValuePattern.test(value)) wrongs.push(labelValueMessage)
  return wrongs
}

/** Wrongs of a name that becomes one step of a path. */
export function pathSegmentWrongs(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return [...new Set(name)]
    .filter(character => '/%'.includes(character))
    .map(character => `may not contain '${character}'`)
}

const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const longestLabel = 63
const label1035Message = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`

/** What is wrong with a DNS-1035 label: like labels, but it begins with a letter. */
export function label1035Wrongs(text: string): readonly string[] {
  return [
    ...(text.length > longestLabel ? [`must be no more than ${longestLabel} bytes`] : []),
    ...(label1035.test(text) ? [] : [label1035Message]),
  ]
}

/** What is wrong with a kind. */
export function kindWrongs(kind: string): readonly string[] {
  const wrongs = label1035Wrongs(kind.toLowerCase())
  return wrongs.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${wrongs.join(',')}`]
}
