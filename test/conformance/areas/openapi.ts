import { area } from '../case.ts'

export const openapi = area('openapi', {})
