import { spawn } from 'node:child_process'
import { DriverError } from '../contract/errors.ts'
import type { ProtocolCall } from '../power/protocol.ts'

/** How ipmitool is called. */
export interface ToolOptions extends ProtocolCall {
  /** Path or name of the program. */
  readonly program: string
  readonly host: string
  readonly port: number
}

/** Cipher suites in the order in which they are tried: what every controller of IPMI 2.0 has, then what newer ones want. */
const cipherSuites = ['3', '17'] as const
/** What ipmitool says is read up to so many characters. */
const longestOutput = 10_000

/**
 * Runs `ipmitool chassis power …` and answers with what it prints. The password goes through the child's environment,
 * which only its owner can read, never through its arguments. Throws `DriverError`.
 */
export async function runTool(command: 'status' | 'on' | 'off', options: ToolOptions): Promise<string> {
  for (const cipherSuite of cipherSuites) {
    const { code, output, errors } = await call(['chassis', 'power', command], cipherSuite, options)
    if (code === 0) return output
    const isLast = cipherSuite === cipherSuites.at(-1)
    if (!isLast && /cipher suite/i.test(errors)) continue
    throw asDriverError(errors, command, options)
  }
  throw new DriverError('Internal', 'Cannot call ipmitool: no cipher suite is left')
}

interface Ended {
  readonly code: number | undefined
  readonly output: string
  readonly errors: string
}

function call(command: readonly string[], cipherSuite: string, options: ToolOptions): Promise<Ended> {
  const { program, host, port, credentials, signal } = options
  const { username, password } = credentials
  // Only with `-v` it says that a password was refused, and not merely that no session came about.
  const session = ['-v', '-I', 'lanplus', '-C', cipherSuite, '-N', '5', '-R', '1']
  const args = [...session, '-H', host, '-p', `${port}`, '-U', username, '-E', ...command]
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new DriverError('Aborted', 'Cannot call: the caller has given up already'))
    // Nothing of our own environment but where programs are: it may hold secrets of others.
    const env = { PATH: process.env.PATH, IPMI_PASSWORD: password, LC_ALL: 'C' }
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [output, errors] = ['', '']
    const abort = () => {
      child.kill('SIGKILL')
      reject(new DriverError('Timeout', `The power controller at ${host} did not answer in time`))
    }
    signal.addEventListener('abort', abort, { once: true })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = `${output}${text}`.slice(0, longestOutput)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = `${errors}${text}`.slice(0, longestOutput)
    })
    child.on('error', cause => {
      signal.removeEventListener('abort', abort)
      const missing = 'code' in cause && cause.code === 'ENOENT'
      const why = missing ? 'it is not installed on this machine' : cause.message
      reject(new DriverError('Unavailable', `Cannot call ipmitool: ${why}`, { inDoubt: false }))
    })
    child.on('close', code => {
      signal.removeEventListener('abort', abort)
      resolve({ code: code ?? undefined, output, errors })
    })
  })
}

/** What ipmitool complains of, in the codes of the contract. What it prints is not repeated: nobody knows what is in it. */
function asDriverError(errors: string, command: string, { host }: ToolOptions): DriverError {
  const inDoubt = command !== 'status'
  const what = `Cannot ask the power controller at ${host} for "power ${command}"`
  if (/RAKP|unauthorized|incorrect password|insufficient privilege/i.test(errors)) {
    return new DriverError('Unauthenticated', `${what}: it refuses the user name or password`)
  }
  if (/cipher suite/i.test(errors)) {
    return new DriverError('Unsupported', `${what}: it knows none of the cipher suites ${cipherSuites.join(' and ')}`)
  }
  if (/establish|timed? ?out|connect|resolve|lookup|unreachable|no response/i.test(errors)) {
    return new DriverError('Unavailable', `${what}: it does not answer`, { inDoubt })
  }
  return new DriverError('Internal', `${what}: ipmitool failed`, { inDoubt })
}
