import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { realEnvironment } from '../../../cli/environment.ts'
import { createIPMIDriver } from '../../../drivers/ipmi/driver.ts'
import {
  type ControllerFixture,
  controllerConformance,
  localController,
} from '../../drivers/conformance-controllers.ts'
import { refused } from '../../drivers/conformance-rig.ts'
import { skipped } from '../../skipped.ts'
import { commandsMissing } from '../lab/commands.ts'

const missing = commandsMissing(['ipmitool', 'ipmi_sim'])

/** The configuration of Debian's `ipmi_sim`: one controller whose chassis is switched by a script. */
function lanConfiguration(port: number, script: string): string {
  return `name "bmc1"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${script}"
  startnow false
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "admin" "secret-horse" admin 10 none md2 md5 straight
`
}

const emulation = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`

/** The chassis: its power is a file. */
const chassis = (power: string) => `#!/bin/sh
op=$1; shift
while [ $# -gt 0 ]; do
  case "$op $1" in
    "get power") echo "power:$(cat ${power})"; shift ;;
    "set power") echo "$2" > ${power}; shift 2 ;;
    get*) echo "$1:0"; shift ;;
    set*) shift 2 ;;
    *) shift ;;
  esac
done
exit 0
`

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', () => resolve()))
  const { port } = socket.address()
  await new Promise<void>(resolve => socket.close(() => resolve()))
  return port
}

async function ipmiSimulator(): Promise<ControllerFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'skystead-bmc-'))
  const [power, script, port] = [join(directory, 'power'), join(directory, 'chassis.sh'), await freePort()]
  await writeFile(power, '1\n')
  await writeFile(script, chassis(power))
  await chmod(script, 0o755)
  await writeFile(join(directory, 'lan.conf'), lanConfiguration(port, script))
  await writeFile(join(directory, 'emulation'), emulation)
  const files = ['-c', join(directory, 'lan.conf'), '-f', join(directory, 'emulation'), '-s', directory, '-n']
  const child = spawn('ipmi_sim', files, { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const endpoint = localController('IPMI', port)
  const driver = createIPMIDriver({ environment: realEnvironment() })
  const means = { secret: async () => ({ username: 'admin', password: 'secret-horse' }) }
  await answering(() => driver.connect(endpoint, means).inventory({ signal: AbortSignal.timeout(10_000) }))
  return {
    driver,
    endpoint,
    means,
    deadline: 60_000,
    isOn: async () => (await readFile(power, 'utf8')).trim() === '1',
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(directory, { recursive: true })
    },
  }
}

/** It takes a moment to come up. */
async function answering(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await ask()
      return
    } catch (error) {
      if (attempt === 20) throw error
      await pause(250)
    }
  }
}

if (missing.length > 0) {
  skipped(test, 'IPMI against ipmi_sim', missing)
} else {
  controllerConformance(test, 'IPMI', ipmiSimulator)

  test('HST-094 a controller refuses a wrong password, and the driver says so without telling it', async t => {
    await using fixture = await ipmiSimulator()
    const { driver, endpoint } = fixture
    const means = { secret: async () => ({ username: 'admin', password: 'wrong donkey' }) }
    await using connection = driver.connect(endpoint, means)
    const error = await refused(t, connection.inventory({ signal: AbortSignal.timeout(60_000) }), 'Unauthenticated')
    t.notRegex(`${error?.message}`, /donkey/)
    t.true(await fixture.isOn())
  })
}
