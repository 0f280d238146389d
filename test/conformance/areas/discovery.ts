import { area } from '../case.ts'

export const discovery = area('discovery', {})
