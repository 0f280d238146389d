import type { PowerInventory } from '../contract/facts.ts'

/** Who signs in at a power controller, and whom it is believed to be: what its Secret holds. */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** Key `ca.crt`: certificates of the authorities that vouch for the controller, in PEM. */
  readonly authorities?: string
}

/** What every call of a protocol gets. */
export interface ProtocolCall {
  readonly credentials: Credentials
  readonly signal: AbortSignal
}

/** How one power controller is talked to. Both calls throw `DriverError` only, `Unauthenticated` where it refuses who signs in. */
export interface PowerProtocol {
  /** Between two looks whether the power is as it was switched, in ms. */
  readonly lookAgain: number
  /** What the controller says now. Never from memory. */
  read(call: ProtocolCall): Promise<PowerInventory['power']>
  /** Asks for the power to be switched; answers once the controller has taken the wish. */
  switch(power: 'On' | 'Off', call: ProtocolCall): Promise<void>
}
