/** A MongoDB-compatible server of the tests' own: mongo-java-server, fetched by Maven, with its data in a file. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectPath } from '../../../cli/repository.ts'
import { freePort } from '../../free-port.ts'

const version = '1.47.0'
const jars = join(tmpdir(), `skystead-mongo-java-server-${version}`)
const run = promisify(execFile)

/** What is missing to run the server, for the title of a skipped test; fetches the server where it can. */
export async function missingForMongo(): Promise<string | undefined> {
  for (const tool of ['java', 'mvn']) {
    const found = await run(tool, ['-version']).then(
      () => true,
      () => false,
    )
    if (!found) return tool
  }
  if (existsSync(join(jars, 'complete'))) return undefined
  await mkdir(jars, { recursive: true })
  const dependency = (name: string) =>
    `<dependency><groupId>de.bwaldvogel</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
  await writeFile(
    join(jars, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId><version>1</version><dependencies>${dependency('mongo-java-server')}${dependency('mongo-java-server-h2-backend')}</dependencies></project>`,
  )
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
    await run('mvn', ['-q', '-B', '-f', join(jars, 'pom.xml'), ...goal], { timeout: 180_000 })
  } catch {
    return `mongo-java-server ${version} from a Maven repository`
  }
  await writeFile(join(jars, 'complete'), '')
  return undefined
}

/** A server that may be killed and started again on the same data. */
export class MongoServer {
  readonly url: string
  readonly #port: number
  readonly #file: string
  #child: ChildProcess | undefined

  private constructor(port: number, file: string) {
    this.#port = port
    this.#file = file
    this.url = `mongodb://127.0.0.1:${port}/skystead`
  }

  /** A server that does not run yet, with its data in a directory. */
  static async in(directory: string): Promise<MongoServer> {
    return new MongoServer(await freePort(), join(directory, 'mongo.mv'))
  }

  async start(): Promise<void> {
    const source = projectPath('test/real/records/Server.java')
    const child = spawn('java', ['-cp', join(jars, '*'), source, String(this.#port), this.#file], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', chunk => {
        if (String(chunk).includes('listening')) resolve()
      })
      child.once('exit', code => reject(new Error(`The server ended with ${code}`)))
    })
  }

  /**
   * Ends it in the midst of whatever it does. With `SIGTERM` it keeps what it has answered; with `SIGKILL` it forgets the
   * last second of it, which MongoDB with its journal does not.
   */
  async kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
}
