import type { Environment } from '../../crds/environment.ts'
import type { Driver } from '../contract/driver.ts'
import { powerControllerPlace } from '../contract/endpoint.ts'
import { DriverError } from '../contract/errors.ts'
import { createPowerDriver } from '../power/driver.ts'
import { runTool } from './tool.ts'

/** Options of the IPMI driver. */
export interface IPMIDriverOptions {
  readonly environment: Environment
  /** Path or name of ipmitool. Default `ipmitool`. */
  readonly program?: string
}

/** Between two looks whether the power is as it was switched, in ms. */
const lookAgain = 500

/** The driver of power controllers that speak IPMI 2.0, by the program ipmitool: a process for each call (HST-094). */
export function createIPMIDriver({ environment, program = 'ipmitool' }: IPMIDriverOptions): Driver {
  return createPowerDriver({
    name: 'IPMI',
    environment,
    speak(configuration) {
      const place = { program, ...powerControllerPlace('IPMI', configuration.address) }
      return {
        lookAgain,
        read: async call => powerOf(await runTool('status', { ...place, ...call })),
        async switch(power, call) {
          await runTool(power === 'On' ? 'on' : 'off', { ...place, ...call })
        },
      }
    },
  })
}

function powerOf(output: string): 'On' | 'Off' {
  const [, said] = /Chassis Power is (on|off)/i.exec(output) ?? []
  if (said === undefined) throw new DriverError('Internal', 'Cannot read the power: ipmitool says neither on nor off')
  return said.toLowerCase() === 'on' ? 'On' : 'Off'
}
