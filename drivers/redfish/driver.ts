import type { Environment } from '../../crds/environment.ts'
import type { Driver } from '../contract/driver.ts'
import { type PowerControllerConfiguration, powerControllerPlace } from '../contract/endpoint.ts'
import { createPowerDriver } from '../power/driver.ts'
import type { PowerProtocol, ProtocolCall } from '../power/protocol.ts'
import { Service } from './service.ts'
import {
  onlySystemOf,
  pathOfSystem,
  powerOf,
  requireSystem,
  resetOf,
  resetTypeFor,
  resetTypesOf,
  systemsPath,
} from './system.ts'

/** Options of the Redfish driver. */
export interface RedfishDriverOptions {
  readonly environment: Environment
}

/** Between two looks whether the power is as it was switched, in ms: a controller's processor is a slow one. */
const lookAgain = 1_000

/** The driver of power controllers that speak Redfish (DSP0266), over HTTPS only: a connection for each call (HST-094). */
export function createRedfishDriver({ environment }: RedfishDriverOptions): Driver {
  return createPowerDriver({ name: 'Redfish', environment, speak: redfish })
}

function redfish(configuration: PowerControllerConfiguration): PowerProtocol {
  const place = powerControllerPlace('Redfish', configuration.address)
  const { systemID, certificateFingerprint: fingerprint } = configuration

  const connect = (call: ProtocolCall) => new Service({ ...call, place, fingerprint })

  /** Found anew each time: what is switched is what is there now. */
  async function systemAt(service: Service): Promise<Readonly<Record<string, unknown>>> {
    const path = systemID === undefined ? onlySystemOf(await service.get(systemsPath)) : pathOfSystem(systemID)
    return requireSystem(await service.get(path), systemID)
  }

  return {
    lookAgain,
    async read(call) {
      await using service = connect(call)
      return powerOf(await systemAt(service))
    },
    async switch(power, call) {
      await using service = connect(call)
      const { target, allowed, infoPath } = resetOf(await systemAt(service))
      const isSaidElsewhere = allowed === undefined && infoPath !== undefined
      const values = isSaidElsewhere ? resetTypesOf(await service.get(infoPath)) : allowed
      await service.post(target, { ResetType: resetTypeFor(power, values) })
    },
  }
}
