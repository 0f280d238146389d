import type { Environment } from '../../crds/environment.ts'
import type { Connection, Driver } from '../contract/driver.ts'
import type { DriverName, PowerControllerConfiguration } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import { PowerConnection } from './connection.ts'
import type { PowerProtocol } from './protocol.ts'

/** What makes a driver of power controllers. */
export interface PowerDriverOptions {
  readonly name: DriverName
  readonly environment: Environment
  /** How a controller is talked to. Must neither wait nor throw. */
  speak(configuration: PowerControllerConfiguration): PowerProtocol
}

/** A driver of power controllers: all of it but the protocol, which each has its own. */
export function createPowerDriver({ name, environment, speak }: PowerDriverOptions): Driver {
  return {
    name,
    serves: ['PowerController'],
    connect(endpoint, means) {
      const { configuration } = endpoint
      if (configuration.type !== 'PowerController') {
        const message = `Cannot reach ${endpoint.key}: the ${name} driver serves power controllers`
        return refusing(new DriverError('Unsupported', message))
      }
      const secretName = configuration.credentials?.secretName
      const protocol = speak(configuration)
      return new PowerConnection({ endpoint, secretName, means, protocol, clock: environment.clock })
    },
  }
}

/** Opening a connection never fails: what cannot be reached fails in the calls. */
function refusing(error: DriverError): Connection {
  return {
    inventory: () => Promise.reject(error),
    perform: () => Promise.reject(error),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
