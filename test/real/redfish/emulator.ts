import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { realEnvironment } from '../../../cli/environment.ts'
import { createRedfishDriver } from '../../../drivers/redfish/driver.ts'
import { makeAuthority } from '../../controllers/api/tls-cluster.ts'
import { type ControllerFixture, localController } from '../../drivers/conformance-controllers.ts'
import { freePort } from '../../free-port.ts'

/** The systems of the emulator, by their names. */
export const systems = {
  'host-1': '27946b59-9e44-4fa7-8e91-f3527a1ef094',
  'host-2': '5b0d2c0a-7f0b-4f38-9f3c-1f1d1a4b9e77',
} as const

/** The password `secret-horse` as the emulator's file has it: bcrypt, with the fewest rounds. */
const passwordFile = 'admin:$2b$04$fegXaL14UztwLsduSrYqaOz3VGsb1LYiww0b45g2aW4zMI0MjEKYi\n'

const authority = makeAuthority(1)

/** What the Secret of the emulator holds. */
export const secret = { username: 'admin', password: 'secret-horse', 'ca.crt': authority.certificate }

/**
 * Starts the emulator of sushy-tools with so many systems, whose power changes some seconds after it was asked to. The
 * endpoint is of `host-1`; it names it where there are more.
 */
export async function startEmulator(names: readonly (keyof typeof systems)[] = ['host-1']): Promise<ControllerFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-redfish-'))
  const port = await freePort()
  const { certificate, key } = authority.server()
  const [certificatePath, keyPath] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
  await writeFile(certificatePath, certificate)
  await writeFile(keyPath, key)
  await writeFile(join(directory, 'passwords'), passwordFile)
  await writeFile(join(directory, 'emulator.conf'), configurationOf(directory, names))
  const tls = ['--ssl-certificate', certificatePath, '--ssl-key', keyPath]
  const listen = ['--interface', '127.0.0.1', '--port', `${port}`]
  const child = spawn('sushy-emulator', ['--config', join(directory, 'emulator.conf'), '--fake', ...listen, ...tls], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said = `${said}${part}`.slice(-10_000)
  })
  const ended = once(child, 'close')
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const systemID = names.length > 1 ? systems['host-1'] : undefined
  const endpoint = localController('Redfish', port, systemID === undefined ? {} : { systemID })
  const isOn = async () => (await powerSaid(port)) === 'On'
  await answering(isOn, () => (child.exitCode === null ? undefined : said))
  return {
    driver: createRedfishDriver({ environment: realEnvironment() }),
    endpoint,
    means: { secret: async () => secret },
    deadline: 60_000,
    isOn,
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(directory, { recursive: true })
    },
  }
}

function configurationOf(directory: string, names: readonly (keyof typeof systems)[]): string {
  const list = names.map(
    name =>
      `{'uuid': '${systems[name]}', 'name': '${name}', 'power_state': 'On', 'external_notifier': False, 'nics': []}`,
  )
  return `SUSHY_EMULATOR_AUTH_FILE = '${join(directory, 'passwords')}'
SUSHY_EMULATOR_STATE_DIR = '${directory}'
SUSHY_EMULATOR_FAKE_SYSTEMS = [${list.join(', ')}]
`
}

/** What the emulator says of the power of `host-1`, asked without the driver. */
async function powerSaid(port: number): Promise<unknown> {
  const options = { ca: authority.certificate, auth: `${secret.username}:${secret.password}`, agent: false }
  const url = `https://127.0.0.1:${port}/redfish/v1/Systems/${systems['host-1']}`
  const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    get(url, options, resolve).on('error', reject)
  })
  return JSON.parse(await text(answer)).PowerState
}

/** It takes a moment to come up. */
async function answering(ask: () => Promise<unknown>, whyEnded: () => string | undefined): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await ask()
      return
    } catch (error) {
      const why = whyEnded()
      if (why !== undefined) throw new Error(`sushy-emulator has ended: ${why}`)
      if (attempt === 240) throw error
      await pause(250)
    }
  }
}
