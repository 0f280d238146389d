import { XMLParser } from 'fast-xml-parser'
import { DriverError } from '../contract/errors.ts'

/** An element of a parsed document: attributes, text and children by name. */
export interface XmlElement {
  /** Value of an attribute, or undefined. */
  attribute(name: string): string | undefined
  /** The first child of that name, or undefined. */
  child(name: string): XmlElement | undefined
  /** All children of that name, in order. */
  children(name: string): readonly XmlElement[]
  /** Its text, trimmed; empty where it has none. */
  readonly text: string
  /** It and its attributes again as XML, without children. */
  readonly attributes: Readonly<Record<string, string>>
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  // A serial of "0012" is text: nothing in these documents is to be guessed into a number.
  parseTagValue: false,
  parseAttributeValue: false,
  // Decoded below in one pass, so that nothing is decoded twice.
  processEntities: false,
  ignoreDeclaration: true,
})

/** Parses a document and answers with its root, which must have that name. Throws `Internal` where it is none. */
export function parseXml(document: string, root: string): XmlElement {
  let parsed: unknown
  try {
    parsed = parser.parse(document)
  } catch (cause) {
    throw new DriverError('Internal', `Cannot read the ${root} that libvirt described: it is no XML`, { cause })
  }
  const element = elementsOf(parsed, root)[0]
  if (element === undefined) throw new DriverError('Internal', `Cannot read what libvirt described: it is no ${root}`)
  return element
}

/** Text as it may stand between tags and in attributes of either quote. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\n\r\t]/g, character => `&#${character.charCodeAt(0)};`)
}

/** Attributes as they stand in a tag, each with a space before it; those without a value are left out. */
export function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')
}

function elementsOf(parent: unknown, name: string): readonly XmlElement[] {
  if (!isRecord(parent)) return []
  const found = parent[name]
  if (found === undefined) return []
  return (Array.isArray(found) ? found : [found]).map(toElement)
}

function toElement(node: unknown): XmlElement {
  const record = isRecord(node) ? node : {}
  const text = isRecord(node) ? record['#text'] : node
  return {
    attribute: name => textOf(record[`@${name}`]),
    child: name => elementsOf(record, name)[0],
    children: name => elementsOf(record, name),
    text: typeof text === 'string' ? decode(text).trim() : '',
    get attributes() {
      const own: Record<string, string> = {}
      for (const [name, value] of Object.entries(record)) {
        if (name.startsWith('@')) own[name.slice(1)] = textOf(value) ?? ''
      }
      return own
    },
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? decode(value) : undefined
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole
      return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
    },
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
