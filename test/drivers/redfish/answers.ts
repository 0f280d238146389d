/** Answers of Redfish services, in the parts that count: of the emulator of sushy-tools 2.2 and in the shapes of DSP0268. */

/** A collection with the systems of these Ids. */
export function collectionOf(...ids: readonly string[]) {
  return {
    '@odata.type': '#ComputerSystemCollection.ComputerSystemCollection',
    '@odata.id': '/redfish/v1/Systems',
    Name: 'Computer System Collection',
    'Members@odata.count': ids.length,
    Members: ids.map(id => ({ '@odata.id': `/redfish/v1/Systems/${id}` })),
  }
}

/** As recorded of sushy-tools 2.2: what a system may be told stands with the action. */
export const emulated = {
  '@odata.type': '#ComputerSystem.v1_13_0.ComputerSystem',
  Id: '27946b59-9e44-4fa7-8e91-f3527a1ef094',
  Name: 'host-1',
  UUID: '27946b59-9e44-4fa7-8e91-f3527a1ef094',
  Manufacturer: 'Sushy Emulator',
  Status: { State: 'Enabled', Health: 'OK', HealthRollUp: 'OK' },
  PowerState: 'On',
  Actions: {
    '#ComputerSystem.Reset': {
      target: '/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094/Actions/ComputerSystem.Reset',
      'ResetType@Redfish.AllowableValues': [
        'On',
        'ForceOff',
        'GracefulShutdown',
        'GracefulRestart',
        'ForceRestart',
        'Nmi',
        'ForceOn',
      ],
    },
  },
  '@odata.id': '/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094',
} as const

/** A system that leaves what it may be told to an ActionInfo, as OpenBMC does. */
export const withActionInfo = {
  '@odata.type': '#ComputerSystem.v1_16_0.ComputerSystem',
  '@odata.id': '/redfish/v1/Systems/system',
  Id: 'system',
  Name: 'system',
  Status: { State: 'Enabled' },
  PowerState: 'Off',
  Actions: {
    '#ComputerSystem.Reset': {
      target: '/redfish/v1/Systems/system/Actions/ComputerSystem.Reset',
      '@Redfish.ActionInfo': '/redfish/v1/Systems/system/ResetActionInfo',
    },
  },
} as const

/** The ActionInfo of such a system. */
export function actionInfo(...values: readonly string[]) {
  return {
    '@odata.type': '#ActionInfo.v1_1_2.ActionInfo',
    '@odata.id': '/redfish/v1/Systems/system/ResetActionInfo',
    Id: 'ResetActionInfo',
    Name: 'Reset Action Info',
    Parameters: [{ Name: 'ResetType', Required: true, DataType: 'String', AllowableValues: values }],
  }
}

/** As recorded of sushy-tools 2.2: an error, with the name of a message. */
export function errorOf(messageId: string, message: string) {
  return {
    error: {
      code: messageId,
      message,
      '@Message.ExtendedInfo': [{ '@odata.type': '/redfish/v1/$metadata#Message.1.0.0.Message', MessageId: messageId }],
    },
  }
}
