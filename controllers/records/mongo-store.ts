import type { Collection, MongoClient } from 'mongodb'
import { type HistoryRecord, instant, type RecordQuery } from './record.ts'
import type { RecordStore } from './record-store.ts'

/** Options of the store in MongoDB. */
export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`, with credentials where they are needed: never told in a log or an error. */
  readonly url: string
  /** The database where the URL names none. Default `skystead`. */
  readonly database?: string
}

/** A record as MongoDB has it: its id is the key, its time a date. */
interface Document {
  readonly _id: string
  readonly at: Date
  readonly [name: string]: unknown
}

/** How long a server is looked for, a connection is made and an answer is waited for, in ms. */
const patience = { serverSelectionTimeoutMS: 5_000, connectTimeoutMS: 5_000, socketTimeoutMS: 20_000 }

/** Records in the collection `records` of a MongoDB database (server 4.4 or later). Nothing is called before the first. */
export function createMongoStore({ url, database = 'skystead' }: MongoStoreOptions): RecordStore {
  let opened: Promise<{ client: MongoClient; records: Collection<Document> }> | undefined
  let client: MongoClient | undefined

  async function open() {
    const { MongoClient: Client } = await import('mongodb')
    const made = new Client(url, { ...patience, appName: 'skystead', maxPoolSize: 4 })
    client = made
    await made.connect()
    const named = /^[^/]*\/\/[^/]+\/([^?]+)/.exec(url)?.[1]
    const records = made.db(named ?? database).collection<Document>('records')
    await records.createIndexes([{ key: { at: 1 } }, { key: { kind: 1, namespace: 1, name: 1, at: 1 } }])
    return { client: made, records }
  }

  /** What goes wrong is told without the URL. A client that never came up is made anew the next time. */
  async function use<T>(action: (records: Collection<Document>) => Promise<T>): Promise<T> {
    opened ??= open()
    const opening = opened
    try {
      return await action((await opening).records)
    } catch (error) {
      const isUp = await opening.then(
        () => true,
        () => false,
      )
      if (!isUp && opened === opening) await reset()
      throw withoutURL(error, url)
    }
  }

  async function reset(): Promise<void> {
    opened = undefined
    await client?.close().catch(() => undefined)
    client = undefined
  }

  return {
    name: 'MongoDB',
    async append(records) {
      const operations = records.map(record => {
        const replacement = documentOf(record)
        return { replaceOne: { filter: { _id: record.id }, replacement, upsert: true } }
      })
      await use(collection => collection.bulkWrite(operations, { ordered: false }))
    },
    async query(query) {
      const found = await use(collection =>
        collection.find(filterOf(query)).sort({ at: -1, _id: -1 }).limit(query.limit).toArray(),
      )
      return found.map(recordOf).reverse()
    },
    async prune(before) {
      await use(collection => collection.deleteMany({ at: { $lt: new Date(before) } }))
    },
    close: reset,
  }
}

function documentOf({ id, at, ...rest }: HistoryRecord): Document {
  return { ...rest, _id: id, at: new Date(at) }
}

function recordOf({ _id, at, ...rest }: Document): HistoryRecord {
  // The edge: only records were put into the collection.
  return { ...rest, id: _id, at: instant(at.getTime()) } as unknown as HistoryRecord
}

function filterOf({ types, subject, since, until }: RecordQuery) {
  const time = {
    ...(since === undefined ? {} : { $gte: new Date(since) }),
    ...(until === undefined ? {} : { $lt: new Date(until) }),
  }
  const about = subject && {
    kind: subject.kind,
    name: subject.name,
    namespace: subject.namespace ?? { $exists: false },
  }
  return {
    ...(types === undefined ? {} : { type: { $in: [...types] } }),
    ...(Object.keys(time).length === 0 ? {} : { at: time }),
    ...(about === undefined ? {} : { $or: [{ type: 'Gap' }, about] }),
  }
}

/** The driver's errors may quote the URL, and with it a password. */
function withoutURL(error: unknown, url: string): Error {
  const message = error instanceof Error ? error.message : String(error)
  const password = /\/\/[^/@]*:([^/@]*)@/.exec(url)?.[1]
  const secrets = [url, ...(password === undefined || password === '' ? [] : [password, decoded(password)])]
  const told = secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), message)
  return new Error(`Cannot use MongoDB: ${told}`)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
