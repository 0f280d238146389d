/** Kubernetes' `format` library in CEL: names and values that many fields share. */

import { type Environment, Optional } from '@marcbachmann/cel-js'
import { formatCheck } from '../formats.ts'
import { equalValues } from './equality.ts'

const sync = { async: false }

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const wholeLabel = new RegExp(`^${label}$`)
const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const qualifiedMessage =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const labelValueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

type Problems = (text: string) => readonly string[]

/** What is wrong with a text that is too long or does not match as a whole. Lengths bound the work of the expression. */
function shaped(shape: string, longest: number, message: string): Problems {
  const expression = new RegExp(`^(?:${shape})$`)
  return text => {
    if (text.length > longest) return [`must be no more than ${longest} characters`]
    return expression.test(text) ? [] : [message]
  }
}

/** A prefix may end in a dash: something is put after it. */
function prefix(problems: Problems): Problems {
  return text => problems(text.endsWith('-') ? `${text.slice(0, -1)}a` : text)
}

function subdomainProblems(text: string): readonly string[] {
  if (text.length > 253) return ['must be no more than 253 characters']
  return text.split('.').every(part => wholeLabel.test(part)) ? [] : [subdomainMessage]
}

function checked(format: string, message: string): Problems {
  const check = formatCheck(format)
  return text => (check?.(text) === false ? [message] : [])
}

const namePart = shaped('([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]', 63, qualifiedMessage)

function qualifiedNameProblems(text: string): readonly string[] {
  const slash = text.indexOf('/')
  if (slash < 0) return namePart(text)
  return [...subdomainProblems(text.slice(0, slash)), ...namePart(text.slice(slash + 1))]
}

const dns1123Label = shaped(label, 63, labelMessage)
const dns1035Label = shaped('[a-z]([-a-z0-9]*[a-z0-9])?', 63, label1035Message)

const formats: Readonly<Record<string, Problems>> = {
  dns1123Label,
  dns1123Subdomain: subdomainProblems,
  dns1035Label,
  qualifiedName: qualifiedNameProblems,
  dns1123LabelPrefix: prefix(dns1123Label),
  dns1123SubdomainPrefix: prefix(subdomainProblems),
  dns1035LabelPrefix: prefix(dns1035Label),
  labelValue: shaped('(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?', 63, labelValueMessage),
  uri: checked('uri', 'must be a valid URI'),
  uuid: checked('uuid', 'does not match the UUID format'),
  byte: checked('byte', 'invalid base64'),
  date: checked('date', 'invalid date'),
  datetime: checked('datetime', 'invalid datetime'),
}

class NamedFormat {
  readonly problems: Problems

  constructor(problems: Problems) {
    this.problems = problems
  }

  equals(other: unknown): boolean {
    return other instanceof NamedFormat && other.problems === this.problems
  }
}

/** Adds `format.<name>()`, `format.named(name)` and `validate`. */
export function addNamedFormats(environment: Environment): void {
  class FormatNamespace {}
  const byName = new Map(Object.entries(formats).map(([name, problems]) => [name, new NamedFormat(problems)]))
  environment
    .registerType('kubernetes.NamedFormat', NamedFormat)
    .registerOperator('kubernetes.NamedFormat == kubernetes.NamedFormat', equalValues)
    .registerType('FormatNamespace', FormatNamespace)
    .registerConstant('format', 'FormatNamespace', new FormatNamespace())
    .registerFunction(
      'FormatNamespace.named(string): optional<kubernetes.NamedFormat>',
      (_namespace: unknown, name: string) => Optional.of(byName.get(name)),
      sync,
    )
    .registerFunction(
      'kubernetes.NamedFormat.validate(string): optional<list<string>>',
      (format: NamedFormat, text: string) => {
        const problems = format.problems(text)
        return problems.length === 0 ? Optional.none() : Optional.of([...problems])
      },
      sync,
    )
  for (const [name, format] of byName) {
    environment.registerFunction(`FormatNamespace.${name}(): kubernetes.NamedFormat`, () => format, sync)
  }
}
